"""What the service of orders does when users ask: rows, what they reserve, commands. It refuses without a word."""

from decimal import Decimal
from typing import TYPE_CHECKING, Final
from uuid import UUID

from msgspec.structs import replace

from app.dev.soak import model
from app.dev.soak.books import Portfolio
from app.dev.soak.model import id_of
from app.domains.trading.exchange.model import Changes, OrderType, TimeInForce
from app.domains.trading.exchange.rules.rounding import tick_below
from app.domains.trading.journal.model import Currency
from app.domains.trading.matching.model import Cancel, Command, OrderRow, PlaceOrder, Replace
from app.domains.trading.matching.rules.records import order_of
from app.domains.trading.orders.model import OPEN, BracketRole, OrderStatus
from app.domains.trading.orders.rules.reservation import extra_for_change, need, reserve_rate_at
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE, decimal_of, moment_of, units_of

if TYPE_CHECKING:
    from app.dev.soak.world import World

_PROTECTION: Final = 105


class Asking:
    """Writes orders and what they reserve before anything is matched."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def ask(self, action: model.PlaceOrder | model.Cancel | model.Replace) -> Command | None:
        """The command for what a user asks for; None if it is refused."""
        match action:
            case model.PlaceOrder():
                return self._place(action)
            case model.Cancel(number):
                row = self._world.books.orders.get(id_of(number))
                return None if row is None or row.status not in OPEN else Cancel(row.symbol, row.id)
            case model.Replace():
                return self._replace(action)

    def _place(self, asked: model.PlaceOrder) -> Command | None:
        books, portfolio = self._world.books, self._world.portfolios[asked.portfolio]
        price = self._world.price(asked.symbol)
        if portfolio.closing is not None or price is None or id_of(asked.number) in books.orders:
            return None
        held = books.available_coins(portfolio.id, asked.symbol)
        row = self._row(asked, portfolio, held, price.quote.price, price.aud)
        if row.side == Side.SELL:
            reserved, available = units_of(row.bound or row.quantity or Decimal(0)), held
        else:
            reserved, available = _need(row), books.available(portfolio.id)
        if not 0 < reserved <= available:
            return None
        row = replace(row, reserved=decimal_of(reserved))
        exits = () if asked.exits is None else self._exits(asked, asked.exits, row)
        if exits:
            row = replace(row, bracket_id=exits[0].bracket_id, bracket_role=BracketRole.ENTRY)
            assert row.bracket_id is not None
            books.brackets[row.bracket_id] = [row.id, *(each.id for each in exits)]
        books.reserve(row, reserved)
        for each in (row, *exits):
            books.note(each)
        return PlaceOrder(row.symbol, order_of(row), tuple(order_of(each) for each in exits))

    def _row(self, asked: model.PlaceOrder, portfolio: Portfolio, held: int, usd: int, aud: int) -> OrderRow:
        is_sale = asked.side is Side.SELL
        protection = None if is_sale or asked.price is not None else _protection(asked, usd)
        rate = None if portfolio.currency is Currency.USD else reserve_rate_at(usd, aud)
        lives_until = None if asked.lives_ms is None else self._world.now + asked.lives_ms
        return OrderRow(
            id=id_of(asked.number),
            owner=portfolio.owner,
            portfolio_id=portfolio.id,
            currency=portfolio.currency,
            life=portfolio.life,
            symbol=asked.symbol,
            side=asked.side,
            type=asked.type,
            time_in_force=asked.time_in_force,
            expires_at=None if lives_until is None else moment_of(lives_until),
            post_only=asked.is_post_only,
            sells_all=is_sale and asked.quantity is not None and asked.quantity == held,
            quantity=_coins(asked.quantity),
            quote_amount=_coins(asked.amount),
            bound=_coins(held) if is_sale and asked.amount is not None else None,
            price=_price(asked.price),
            stop_price=_price(asked.stop_price),
            trail_amount=_price(asked.trail_amount),
            trail_fraction=_coins(asked.trail_fraction),
            protection_price=_price(protection),
            maker_fee_fraction=decimal_of(portfolio.maker_fee),
            taker_fee_fraction=decimal_of(portfolio.taker_fee),
            reserve_rate=_price(rate),
            reserved=Decimal(0),
            reserved_for_changes=Decimal(0),
            filled_quantity=Decimal(0),
            filled_quote=Decimal(0),
            fees=Decimal(0),
            status=OrderStatus.PENDING,
            reason=None,
            bracket_id=None,
            bracket_role=None,
            priority=None,
            triggered_at=None,
            filled_at=None,
            cancelled_at=None,
        )

    def _exits(self, asked: model.PlaceOrder, exits: model.Exits, entry: OrderRow) -> tuple[OrderRow, OrderRow]:
        common = replace(
            entry,
            side=Side.SELL,
            time_in_force=TimeInForce.GOOD_TILL_CANCELLED,
            expires_at=None,
            post_only=False,
            sells_all=True,
            stop_price=None,
            trail_amount=None,
            trail_fraction=None,
            protection_price=None,
            reserve_rate=None,
            reserved=Decimal(0),
            bracket_id=self._world.new_id(),
        )
        stop_loss = replace(
            common,
            id=id_of(asked.number + 2),
            type=OrderType.STOP if exits.limit is None else OrderType.STOP_LIMIT,
            price=_price(exits.limit),
            stop_price=_price(exits.stop),
            bracket_role=BracketRole.STOP_LOSS,
        )
        take_profit = replace(
            common,
            id=id_of(asked.number + 1),
            type=OrderType.LIMIT,
            price=_price(exits.take_profit),
            bracket_role=BracketRole.TAKE_PROFIT,
        )
        return stop_loss, take_profit

    def _replace(self, asked: model.Replace) -> Command | None:
        books, id = self._world.books, id_of(asked.number)
        row = books.orders.get(id)
        # One change at a time: what two need together depends on which of them is accepted.
        if row is None or row.status not in OPEN or row.quantity is None or self._is_changing(id):
            return None
        if row.portfolio_id in self._world.closing:
            return None
        changes = self._changes(asked, row)
        filled, quantity = units_of(row.filled_quantity), units_of(row.quantity)
        left, new_left = quantity - filled, (changes.quantity or quantity) - filled
        if new_left <= 0:
            return None
        if row.side == Side.SELL:
            extra, available = max(0, new_left - left), books.available_coins(row.portfolio_id, row.symbol)
        else:
            extra, available = self._extra(row, changes, left, new_left), books.available(row.portfolio_id)
        if extra > available:
            return None
        if extra:
            row = replace(row, reserved_for_changes=row.reserved_for_changes + decimal_of(extra))
            books.note(row)
            books.reserve(row, extra)
        return Replace(row.symbol, id, changes, extra)

    def _is_changing(self, id: UUID) -> bool:
        return any(isinstance(command, Replace) and command.order_id == id for command, _ in self._world.inbox)

    def _changes(self, asked: model.Replace, row: OrderRow) -> Changes:
        protection = None
        price = self._world.price(row.symbol)
        is_bounded = row.protection_price is not None
        if is_bounded and price is not None and (asked.stop_price or asked.trail_amount or asked.trail_fraction):
            protection = _protection(asked, price.quote.price)
        return Changes(
            quantity=asked.quantity,
            price=asked.price,
            stop_price=asked.stop_price,
            trail_amount=asked.trail_amount,
            trail_fraction=asked.trail_fraction,
            protection_price=protection,
        )

    @staticmethod
    def _extra(row: OrderRow, changes: Changes, left: int, new_left: int) -> int:
        worst = units_of(row.price or row.protection_price or Decimal(0), PRICE_SCALE)
        return extra_for_change(
            left=left,
            worst_price=worst,
            new_left=new_left,
            new_worst_price=(changes.price if row.price is not None else changes.protection_price) or worst,
            taker_fee=units_of(row.taker_fee_fraction),
            reserve_rate=None if row.reserve_rate is None else units_of(row.reserve_rate, PRICE_SCALE),
        )


def _protection(asked: model.PlaceOrder | model.Replace, price: int) -> int:
    """5% above what would trigger it as it is placed."""
    base = price if asked.stop_price is None else asked.stop_price
    base += asked.trail_amount or 0
    base += base * (asked.trail_fraction or 0) // COIN
    return tick_below(base * _PROTECTION // 100)


def _need(row: OrderRow) -> int:
    return need(
        Side.BUY,
        units_of(row.quantity or Decimal(0)),
        worst_price=units_of(row.price or row.protection_price or Decimal(0), PRICE_SCALE),
        amount=None if row.quote_amount is None else units_of(row.quote_amount),
        taker_fee=units_of(row.taker_fee_fraction),
        reserve_rate=None if row.reserve_rate is None else units_of(row.reserve_rate, PRICE_SCALE),
    )


def _coins(units: int | None) -> Decimal | None:
    return None if units is None else decimal_of(units)


def _price(units: int | None) -> Decimal | None:
    return None if units is None else decimal_of(units, PRICE_SCALE)

"""What an order becomes when it is placed: what the book is given, what is stored, and what is reserved. Pure."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec

from app.domains.trading.exchange.model import Order, OrderType, Reason, TimeInForce
from app.domains.trading.exchange.rules import checks as exchange_checks
from app.domains.trading.exchange.rules.fees import SCHEDULES, FeeSchedule
from app.domains.trading.exchange.rules.rounding import tick_below
from app.domains.trading.exchanges.model import EXCHANGES, PAID_TIERS, Exchange, PlanRequired
from app.domains.trading.journal.model import Currency
from app.domains.trading.orders.model import (
    BracketRole,
    DuplicateClientOrderId,
    InsufficientPosition,
    MarketClosed,
    NewBracket,
    NewOrder,
    OrderRefused,
    TooManyPositions,
    TradingHalted,
)
from app.domains.trading.orders.rules.reservation import need, reserve_rate_at
from app.domains.trading.orders.rules.terms import MarketTerms
from app.domains.trading.portfolios.model import (
    MAX_POSITIONS,
    InsufficientCash,
    LiveTradingUnavailable,
    LockedPortfolio,
    Mode,
)
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE, decimal_of, ms_of, units_of
from app.kit.errors import InvalidInput

_PROTECTION_PERCENT: Final = 5
_MESSAGES: Final = {
    Reason.TOO_SMALL: "An order is worth at least 1 dollar.",
    Reason.TOO_LARGE: "The order is worth more than the exchange takes on.",
    Reason.REDUCE_ONLY: "There is nothing to reduce.",
    Reason.EXPIRED: "An order expires in the future.",
}


class Planned(msgspec.Struct, frozen=True):
    """An order that can be placed, and how many units it reserves: coins of a sale, cash of a purchase."""

    order: Order
    fees: FeeSchedule
    reserve_rate: int | None
    reserved: int


class StoredOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The row of a new order."""

    id: UUID
    side: str
    type: str
    time_in_force: str
    expires_at: datetime | None
    post_only: bool
    reduce_only: bool
    sells_all: bool
    quantity: Decimal | None
    quote_amount: Decimal | None
    bound: Decimal | None
    price: Decimal | None
    stop_price: Decimal | None
    trail_amount: Decimal | None
    trail_fraction: Decimal | None
    protection_price: Decimal | None
    maker_fee_fraction: Decimal
    taker_fee_fraction: Decimal
    reserve_rate: Decimal | None
    reserved: Decimal
    client_order_id: str | None
    bracket_id: UUID | None
    bracket_role: str | None
    bot_id: UUID | None


def plan(  # noqa: PLR0917  # what it depends on
    new: NewOrder, id: UUID, owner: UUID, portfolio: LockedPortfolio, terms: MarketTerms, now: datetime, age_ms: int
) -> Planned:
    """The order that an input asks for, which has passed its checks, and whose token exists.

    Raises LiveTradingUnavailable, PlanRequired, DuplicateClientOrderId, TradingHalted, MarketClosed, OrderRefused,
    TooManyPositions, InsufficientCash, InsufficientPosition.
    """
    exchange = exchange_of(portfolio)
    if exchange is not None:
        check_plan(new.side, terms)
        check_supported(new, exchange)
    if terms.duplicate_id is not None:
        raise DuplicateClientOrderId(terms.duplicate_id)
    if terms.is_user_halted:
        raise TradingHalted
    check_market(terms, now, age_ms)
    assert terms.price_usd is not None
    price = units_of(terms.price_usd, PRICE_SCALE)
    order = _order(new, id, owner, price, units_of(terms.held))
    check_taken_on(order, price, now)
    if new.side is Side.BUY and terms.other_tokens >= MAX_POSITIONS:
        raise TooManyPositions(MAX_POSITIONS)
    fees = SCHEDULES[terms.tier] if exchange is None else exchange.fees
    rate = reserve_rate_of(portfolio.currency, terms)
    reserved = need_of(order, fees.taker, rate)
    check_funds(new.side, reserved, portfolio, terms, new.symbol)
    return Planned(order, fees, rate, reserved)


def exchange_of(portfolio: LockedPortfolio) -> Exchange | None:
    """The exchange of a live portfolio; None: Moneta's own. Raises LiveTradingUnavailable."""
    if portfolio.mode is not Mode.LIVE:
        return None
    if portfolio.exchange is None:
        raise LiveTradingUnavailable
    return EXCHANGES[portfolio.exchange]


def check_plan(side: Side, terms: MarketTerms) -> None:
    """Raises PlanRequired where more is bought with real money without a paid plan."""
    if side is Side.BUY and terms.tier not in PAID_TIERS:
        raise PlanRequired


def check_supported(new: NewOrder, exchange: Exchange) -> None:
    """Raises OrderRefused for an order that an exchange does not have, or that we do not send there."""
    if new.type not in exchange.types:
        raise OrderRefused(Reason.UNSUPPORTED, "The exchange of this portfolio has no orders of this type.")
    if new.time_in_force not in exchange.times_in_force:
        raise OrderRefused(Reason.UNSUPPORTED, "The exchange of this portfolio has no such time in force.")
    if new.quote_amount is not None:
        raise OrderRefused(Reason.UNSUPPORTED, "An order at an exchange is by its quantity.")


def check_market(terms: MarketTerms, now: datetime, age_ms: int) -> None:
    """Raises MarketClosed unless a token is traded, at a price that is not too old."""
    if terms.is_delisted or not terms.is_listed:
        raise MarketClosed(Reason.DELISTED)
    if terms.is_halted:
        raise MarketClosed(Reason.HALTED)
    if terms.quoted_at is None or now - terms.quoted_at > timedelta(milliseconds=age_ms):
        raise MarketClosed(Reason.MARKET_CLOSED)


def check_taken_on(order: Order, price: int, now: datetime) -> None:
    """Raises OrderRefused if no book would take an order on."""
    reason = exchange_checks.refusal(order, price, ms_of(now))
    if reason is not None:
        raise OrderRefused(reason, _MESSAGES.get(reason, "The exchange does not take on such an order."))


def check_funds(side: Side, needed: int, portfolio: LockedPortfolio, terms: MarketTerms, symbol: str) -> None:
    """Raises InsufficientCash or InsufficientPosition if less is available than this."""
    if side is Side.SELL:
        if needed > units_of(terms.held):
            raise InsufficientPosition(terms.held, symbol)
    elif needed > units_of(portfolio.cash) - units_of(portfolio.reserved):
        raise InsufficientCash(portfolio.cash - portfolio.reserved, portfolio.currency)


def reserve_rate_of(currency: Currency, terms: MarketTerms) -> int | None:
    """At what rate a purchase reserves; None: in dollars."""
    if currency is Currency.USD:
        return None
    assert terms.price_usd is not None
    assert terms.price_aud is not None
    return reserve_rate_at(units_of(terms.price_usd, PRICE_SCALE), units_of(terms.price_aud, PRICE_SCALE))


def need_of(order: Order, taker_fee: int, reserve_rate: int | None, *, filled: int = 0) -> int:
    """What an order needs for what is left of it."""
    whole = exchange_checks.quantity_taken_on(order)
    return need(
        order.side,
        whole - filled,
        worst_price=order.protection_price if order.price is None else order.price,
        amount=order.amount,
        taker_fee=taker_fee,
        reserve_rate=reserve_rate,
    )


def protection_price(order: Order, price: int) -> int | None:
    """The worst price of a purchase without a limit: 5% above what triggers it as it is placed, on a tick.

    A sale has none: it sells at what there is.
    """
    if order.side is Side.SELL or order.price is not None:
        return None
    base = price if order.stop_price is None else order.stop_price
    if order.trail_amount is not None:
        base += order.trail_amount
    if order.trail_fraction is not None:
        base += base * order.trail_fraction // COIN
    return tick_below(base * (100 + _PROTECTION_PERCENT) // 100)


def stored(
    new: NewOrder,
    planned: Planned,
    role: BracketRole | None = None,
    link: UUID | None = None,
    bot_id: UUID | None = None,
) -> StoredOrder:
    """The row of an order."""
    order = planned.order
    return StoredOrder(
        id=order.id,
        side=order.side,
        type=order.type,
        time_in_force=order.time_in_force,
        expires_at=new.expires_at,
        post_only=order.is_post_only,
        reduce_only=new.reduce_only,
        sells_all=order.sells_all,
        quantity=_decimal(order.quantity, COIN),
        quote_amount=_decimal(order.amount, COIN),
        bound=_decimal(order.bound, COIN),
        price=_decimal(order.price, PRICE_SCALE),
        stop_price=_decimal(order.stop_price, PRICE_SCALE),
        trail_amount=_decimal(order.trail_amount, PRICE_SCALE),
        trail_fraction=_decimal(order.trail_fraction, COIN),
        protection_price=_decimal(order.protection_price, PRICE_SCALE),
        maker_fee_fraction=decimal_of(planned.fees.maker),
        taker_fee_fraction=decimal_of(planned.fees.taker),
        reserve_rate=_decimal(planned.reserve_rate, PRICE_SCALE),
        reserved=decimal_of(planned.reserved),
        client_order_id=new.client_order_id,
        bracket_id=link,
        bracket_role=role,
        bot_id=bot_id,
    )


def plan_exits(new: NewBracket, entry: Planned, ids: tuple[UUID, UUID], price: Decimal, now: datetime) -> list[Planned]:
    """The take profit and the stop loss of a bracket whose entry can be placed. They reserve once they are in the book.

    Raises InvalidInput, OrderRefused.
    """
    if new.entry.price is None and new.entry.stop_price is None and new.take_profit_price <= price:
        raise InvalidInput("take_profit_price", f"The take profit is above the price, {price:f}.")
    if new.entry.price is None and new.entry.stop_price is None and new.stop_loss_stop_price >= price:
        raise InvalidInput("stop_loss_stop_price", f"The stop loss is below the price, {price:f}.")
    planned: list[Planned] = []
    for terms, id in zip(exits_of(new), ids, strict=True):
        # However little the entry is filled, it can be sold.
        exit = msgspec.structs.replace(_order(terms, id, entry.order.owner, 0, 0), sells_all=True)
        check_taken_on(exit, units_of(price, PRICE_SCALE), now)
        planned.append(Planned(exit, entry.fees, None, 0))
    return planned


def exits_of(new: NewBracket) -> tuple[NewOrder, NewOrder]:
    """The take profit and the stop loss as orders."""
    common = NewOrder(symbol=new.entry.symbol, side=Side.SELL, type=OrderType.LIMIT, quantity=new.entry.quantity)
    limited = new.stop_loss_price is not None
    stop_loss = msgspec.structs.replace(
        common,
        type=OrderType.STOP_LIMIT if limited else OrderType.STOP,
        stop_price=new.stop_loss_stop_price,
        price=new.stop_loss_price,
    )
    return msgspec.structs.replace(common, price=new.take_profit_price), stop_loss


def _order(new: NewOrder, id: UUID, owner: UUID, price: int, held: int) -> Order:
    """The order as a book takes it, of a portfolio that has so many coins available. Raises OrderRefused."""
    quantity = _units(new.quantity, COIN)
    if new.reduce_only and not held:
        raise OrderRefused(Reason.REDUCE_ONLY, _MESSAGES[Reason.REDUCE_ONLY])
    if new.reduce_only and quantity is not None:
        quantity = min(quantity, held)
    is_sale = new.side is Side.SELL
    if is_sale and new.quote_amount is not None and not held:
        raise InsufficientPosition(Decimal(0), new.symbol)
    order = Order(
        id=id,
        owner=owner,
        side=new.side,
        type=new.type,
        time_in_force=new.time_in_force,
        quantity=quantity,
        amount=_units(new.quote_amount, COIN),
        price=_units(new.price, PRICE_SCALE),
        stop_price=_units(new.stop_price, PRICE_SCALE),
        trail_amount=_units(new.trail_amount, PRICE_SCALE),
        trail_fraction=_units(new.trail_fraction, COIN),
        expires_at=None if new.time_in_force is not TimeInForce.GOOD_TILL_DATE else _expiry(new.expires_at),
        is_post_only=new.post_only,
        bound=held if is_sale and new.quote_amount is not None else None,
        sells_all=is_sale and quantity is not None and quantity == held,
    )
    return msgspec.structs.replace(order, protection_price=protection_price(order, price))


def _expiry(moment: datetime | None) -> int | None:
    return None if moment is None else ms_of(moment)


def _units(value: Decimal | None, scale: int) -> int | None:
    return None if value is None else units_of(value, scale)


def _decimal(units: int | None, scale: int) -> Decimal | None:
    return None if units is None else decimal_of(units, scale)

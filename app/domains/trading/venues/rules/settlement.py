"""What trades at an exchange, and the ends of what was sent there, do to orders and portfolios. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Final
from uuid import UUID

import msgspec
from msgspec.structs import replace

from app.domains.trading.exchange.model import Reason
from app.domains.trading.journal.model import Account, Currency, EntryKind, ExternalFill, Line, NewEntry
from app.domains.trading.journal.rules.entries import external_fill_lines, moved_lines
from app.domains.trading.journal.rules.holdings import Holdings
from app.domains.trading.matching.model import OrderRow
from app.domains.trading.matching.rules.working import Working
from app.domains.trading.orders.model import Fill, OrderStatus
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE, decimal_of, units_of
from app.domains.trading.venues.model import Closing, RemoteStatus, RemoteTrade, SentRow, VenueOrderState

REPLACED: Final = "replaced"
"""Why something is cancelled of which a changed one is to follow."""
FEE_MEMO: Final = "The fee of a trade, in another asset."
_NEVER_OPEN: Final = frozenset({VenueOrderState.REFUSED, VenueOrderState.ABSENT, VenueOrderState.DROPPED})


class SettledTrade(msgspec.Struct, frozen=True):
    """A trade with what was sent, and the fill that it is."""

    trade: RemoteTrade
    sent_id: UUID
    fill_id: UUID
    quantity: int
    price: int


class Release(msgspec.Struct, frozen=True):
    """What becomes of what was held until the one before it was closed."""

    id: UUID
    state: VenueOrderState
    quantity: Decimal


def units(value: Decimal, rounding: str = ROUND_HALF_EVEN, scale: int = COIN) -> int:
    """The units of what an exchange counts, which may be finer."""
    return int((value * scale).to_integral_value(rounding=rounding))


class VenueSettlement:
    """Settles trades and ends, in order. Of what is closed all trades are among them, or were settled before."""

    def __init__(  # noqa: PLR0917  # what a batch touches
        self,
        rows: Iterable[OrderRow],
        sent: Iterable[SentRow],
        holdings: Holdings,
        entry_ids: Iterator[int],
        new_id: Callable[[], UUID],
        at: datetime,
        quotes: Mapping[str, str],
        prices: Mapping[str, Decimal],
    ) -> None:
        """`quotes` are what dollars are in each market, `prices` what other assets cost."""
        self.orders: Final = {row.id: Working(row) for row in rows}
        self.sent: Final = {row.id: row for row in sent}
        self._holdings = holdings
        self._entry_ids = entry_ids
        self._new_id = new_id
        self._at = at
        self._quotes = quotes
        self._prices = prices
        self.entries = list[tuple[int, NewEntry]]()
        self.fills = list[Fill]()
        self.trades = list[SettledTrade]()
        self.releases = list[Release]()
        self.failures = dict[UUID, str]()
        self._ended = dict[UUID, OrderRow]()
        """The orders that had ended and were traded after all, as they were."""
        self.short = dict[UUID, int]()
        """By portfolio, the dollars that the exchange had and the books did not."""

    def settle(
        self, trades: Sequence[tuple[UUID, RemoteTrade]], closings: Iterable[Closing]
    ) -> tuple[list[Working], list[UUID]]:
        """Returns the orders that have changed, and what was not closed, since trades of it are missing."""
        for sent_id, trade in trades:
            self._trade(self.sent[sent_id], trade)
        open_still = [each.id for each in closings if not self._close(each)]
        self._end_again()
        for order in self.orders.values():
            self._reserve(order)
        self._make_up()
        return [each for each in self.orders.values() if each.is_changed], open_still

    def _trade(self, sent: SentRow, trade: RemoteTrade) -> None:
        order = self.orders[sent.order_id]
        row, side, is_buy = order.row, order.side, order.side is Side.BUY
        quantity = units(trade.quantity)
        cost = units(trade.cost, ROUND_CEILING if is_buy else ROUND_FLOOR)
        fee, fee_coins, other = self._fee(trade, row.symbol, is_buy=is_buy, quantity=quantity)
        if not order.is_open:
            self._ended.setdefault(row.id, row)
            order.reopen()
        fill_id, entry_id = self._new_id(), next(self._entry_ids)
        terms = ExternalFill(side, row.symbol, quantity, cost, 0 if other or fee_coins else fee, fee_coins)
        self._post(entry_id, EntryKind.FILL, order, external_fill_lines(terms), fill_id=fill_id)
        order.fill(quantity, cost, fee)
        if other:
            # What was sold is not reserved any more.
            self._reserve(order)
            self._pay(order, trade.fee_asset or "", other)
        self.sent[sent.id] = replace(sent, filled_quantity=sent.filled_quantity + decimal_of(quantity))
        price = units(trade.price, scale=PRICE_SCALE)
        self.trades.append(SettledTrade(trade, sent.id, fill_id, quantity, price))
        self.fills.append(
            Fill(
                id=fill_id,
                trade_id=self._new_id(),
                order_id=row.id,
                portfolio_id=row.portfolio_id,
                life=row.life,
                symbol=row.symbol,
                side=side,
                quantity=decimal_of(quantity),
                price=decimal_of(price, PRICE_SCALE),
                quote_quantity=decimal_of(cost),
                fee=decimal_of(fee),
                liquidity=trade.liquidity,
                counter_order_id=None,
                quote_bid=Decimal(0),
                quote_ask=Decimal(0),
                quote_at=trade.at,
                currency=Currency.USD,
                fx_rate=None,
                fx_source=None,
                fx_at=None,
                entry_id=entry_id,
                # Not when it was traded: what was read is newer for those who read on from there.
                created_at=self._at,
            )
        )

    def _fee(self, trade: RemoteTrade, symbol: str, *, is_buy: bool, quantity: int) -> tuple[int, int, int]:
        """The fee in dollars; what was taken of the bought coins; what was taken of another asset."""
        asset, charged = trade.fee_asset, trade.fee_quantity
        if asset is None or not charged:
            return 0, 0, 0
        if asset == self._quotes[trade.market]:
            return units(charged, ROUND_CEILING), 0, 0
        taken = units(charged, ROUND_CEILING)
        price = trade.price if asset == symbol else self._prices.get(asset, Decimal(0))
        dollars = units(charged * price, ROUND_CEILING)
        if asset == symbol and is_buy and taken < quantity:
            return dollars, taken, 0
        return dollars, 0, taken

    def _pay(self, order: Working, asset: str, taken: int) -> None:
        """A fee in another asset: of the portfolio, as far as it has some; the rest comes from outside of the books."""
        held = self._holdings.position(order.row.portfolio_id, asset)
        own = min(taken, max(0, held.quantity - held.reserved))
        if own:
            lines = moved_lines(asset, -own, 0, Account.FEES)
            self._post(next(self._entry_ids), EntryKind.TRANSFER, order, lines, memo=FEE_MEMO)
        if rest := taken - own:
            lines = (Line(Account.EXTERNAL, asset, -rest), Line(Account.FEES, asset, rest))
            entry = self._entry(EntryKind.TRANSFER, order, lines, memo=FEE_MEMO)
            self.entries.append((next(self._entry_ids), entry))

    def _post(  # noqa: PLR0917  # what an entry is
        self,
        entry_id: int,
        kind: EntryKind,
        order: Working,
        lines: tuple[Line, ...],
        fill_id: UUID | None = None,
        memo: str | None = None,
    ) -> None:
        entry = self._entry(kind, order, lines, fill_id=fill_id, memo=memo)
        self._holdings.post(entry, self._new_id())
        self.entries.append((entry_id, entry))

    def _entry(
        self,
        kind: EntryKind,
        order: Working,
        lines: tuple[Line, ...],
        *,
        fill_id: UUID | None = None,
        memo: str | None = None,
    ) -> NewEntry:
        return NewEntry(
            kind=kind,
            portfolio_id=order.row.portfolio_id,
            life=order.row.life,
            lines=lines,
            at=self._at,
            order_id=order.row.id,
            fill_id=fill_id,
            memo=memo,
        )

    def _close(self, closing: Closing) -> bool:
        """Ends what was sent; returns whether it is ended."""
        sent = self.sent[closing.id]
        if sent.state not in (VenueOrderState.WAITING, VenueOrderState.SENDING, VenueOrderState.OPEN):
            return True
        if closing.filled is not None and units(closing.filled) != units_of(sent.filled_quantity):
            return False
        self.sent[closing.id] = replace(sent, state=closing.state)
        if closing.failure is not None:
            self.failures[closing.id] = closing.failure
        order = self.orders[sent.order_id]
        if not order.is_open:
            return True
        is_filled = closing.status is RemoteStatus.CLOSED and order.filled > 0
        if sent.held_id is not None and self._release(sent, order, closing, is_filled=is_filled):
            return True
        if is_filled:
            order.end(OrderStatus.FILLED, None, self._at)
            return True
        reason = _reason(sent, closing)
        is_rejected = closing.state in _NEVER_OPEN and closing.state is not VenueOrderState.DROPPED and not order.filled
        order.end(OrderStatus.REJECTED if is_rejected else OrderStatus.CANCELLED, reason, self._at)
        return True

    def _release(self, sent: SentRow, order: Working, closing: Closing, *, is_filled: bool) -> bool:
        """Whether what was held follows: the one before was cancelled for it, and is not filled as far as that."""
        assert sent.held_id is not None
        assert sent.held_quantity is not None
        assert sent.held_price is not None
        left = units_of(sent.held_quantity) - order.filled
        was_refused = closing.state in _NEVER_OPEN and closing.state is not VenueOrderState.DROPPED
        if is_filled or was_refused or sent.cancel_reason != REPLACED or left <= 0:
            self.releases.append(Release(sent.held_id, VenueOrderState.DROPPED, sent.held_quantity))
            return False
        order.resize(units_of(sent.held_quantity), units_of(sent.held_price, PRICE_SCALE))
        self.releases.append(Release(sent.held_id, VenueOrderState.WAITING, decimal_of(left)))
        return True

    def _end_again(self) -> None:
        """What was traded before an order ended, and listed after, does not open it again: nobody follows it."""
        for id, before in self._ended.items():
            order = self.orders[id]
            is_filled = before.status == OrderStatus.FILLED or order.filled >= units_of(before.quantity or Decimal(0))
            reason = None if is_filled or before.reason is None else Reason(before.reason)
            order.end(OrderStatus.FILLED if is_filled else OrderStatus.CANCELLED, reason, self._at)

    def _reserve(self, order: Working) -> None:
        """Makes what is reserved what the order needs."""
        if delta := order.reserve(order.need()):
            if order.side is Side.BUY:
                self._holdings.cash[order.row.portfolio_id].reserved += delta
            else:
                self._holdings.position(order.row.portfolio_id, order.row.symbol).reserved += delta

    def _make_up(self) -> None:
        """What an exchange spent beyond the books was paid in."""
        for portfolio_id, cash in self._holdings.cash.items():
            if (missing := cash.reserved - cash.balance) > 0:
                self.short[portfolio_id] = missing
                cash.balance += missing


def _reason(sent: SentRow, closing: Closing) -> Reason:
    """Why an order ends that is not filled."""
    if closing.reason is Reason.VANISHED:
        # Whether it was cancelled as was asked for, nobody knows.
        return closing.reason
    if sent.cancel_reason is not None and closing.state not in (VenueOrderState.REFUSED, VenueOrderState.ABSENT):
        return Reason.REQUESTED if sent.cancel_reason == REPLACED else Reason(sent.cancel_reason)
    return Reason.ENDED if closing.reason is None else closing.reason

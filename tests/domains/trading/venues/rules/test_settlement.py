"""What trades at an exchange and the ends of what was sent do to an order and its portfolio, without a database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from app.domains.trading.exchange.model import Liquidity, Reason
from app.domains.trading.journal.model import CashRow, EntryKind, LotRow, PositionRow
from app.domains.trading.journal.rules.holdings import Holdings
from app.domains.trading.matching.model import OrderRow
from app.domains.trading.orders.model import OrderStatus
from app.domains.trading.quantities.model import Side
from app.domains.trading.venues.model import Closing, RemoteStatus, RemoteTrade, SentRow, VenueOrderState
from app.domains.trading.venues.rules.settlement import REPLACED, Release, VenueSettlement
from tests.domains.trading.matching.rules.settler import AT, FIRST, PORTFOLIO, order

SENT, HELD = UUID(int=7), UUID(int=8)
MARKET = "BTC/USDT"


def trade(quantity: str = "1", price: str = "99", cost: str | None = None, fee: str = "0", of: str = "USDT") -> Any:
    """A trade of what was sent."""
    paid = Decimal(quantity) * Decimal(price) if cost is None else Decimal(cost)
    charged = Decimal(fee)
    return SENT, RemoteTrade(
        "t1", "x1", MARKET, Decimal(quantity), Decimal(price), paid, of, charged, Liquidity.TAKER, AT
    )


def closing(state: VenueOrderState, status: RemoteStatus = RemoteStatus.CANCELED, **given: Any) -> Closing:
    return Closing(SENT, state, status, **given)


@dataclass
class Venue:
    """One order that was sent, in a portfolio with this cash and these coins."""

    row: OrderRow
    balance: str = "10000"
    coins: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """By symbol, how many there are, and how many of them are reserved."""
    sent: Mapping[str, Any] = field(default_factory=dict)
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    settlement: VenueSettlement = field(init=False)
    holdings: Holdings = field(init=False)
    unclosed: list[UUID] = field(init=False)

    def settle(self, *trades: Any, closings: tuple[Closing, ...] = ()) -> Any:
        """The order afterwards."""
        row = self.row
        reserved = row.reserved + row.reserved_for_changes if row.side == Side.BUY else Decimal(0)
        positions, lots = list[PositionRow](), list[LotRow]()
        for number, (symbol, (quantity, held)) in enumerate(self.coins.items()):
            amount = Decimal(quantity)
            positions.append(PositionRow(PORTFOLIO, symbol, amount, Decimal(held), amount * 90, Decimal(0), AT))
            lots.append(LotRow(PORTFOLIO, symbol, UUID(int=50 + number), 1, amount, amount * 90, AT))
        self.holdings = Holdings([CashRow(PORTFOLIO, Decimal(self.balance), reserved)], positions, lots)
        given = {"state": VenueOrderState.OPEN, "filled_quantity": row.filled_quantity, "cancel_reason": None}
        nothing = {"held_id": None, "held_quantity": None, "held_price": None}
        ids: count[int] = count(1000)
        sent = SentRow(
            id=SENT,
            order_id=FIRST,
            portfolio_id=PORTFOLIO,
            account_id=UUID(int=9),
            market=MARKET,
            **{**given, **nothing, **self.sent},
        )
        self.settlement = VenueSettlement(
            [row], [sent], self.holdings, ids, lambda: UUID(int=next(ids)), AT, {MARKET: "USDT"}, self.prices
        )
        _, self.unclosed = self.settlement.settle(trades, closings)
        return self.settlement.orders[FIRST].row

    @property
    def cash(self) -> tuple[Any, ...]:
        """The balance, and what of it is reserved."""
        cash = self.holdings.cash[PORTFOLIO]
        return Decimal(cash.balance).scaleb(-8), Decimal(cash.reserved).scaleb(-8)

    def position(self, symbol: str = "BTC") -> Any:
        return Decimal(self.holdings.position(PORTFOLIO, symbol).quantity).scaleb(-8)

    def lines(self, kind: EntryKind) -> list[tuple[str, str, Decimal]]:
        return [
            (line.account.value, str(line.asset), Decimal(line.amount).scaleb(-8))
            for _, entry in self.settlement.entries
            if entry.kind is kind
            for line in entry.lines
        ]


@pytest.mark.parametrize(
    ("side", "balance"), [(Side.BUY, Decimal("9990.87654321")), (Side.SELL, Decimal("10009.12345678"))]
)
def test_what_an_exchange_counts_finer_is_rounded_against_the_portfolio(side: Side, balance: Decimal) -> None:
    venue = Venue(order(side=side), coins={"BTC": ("2", "1")})
    venue.settle(trade(cost="9.123456789"))
    assert venue.cash[0] == balance


def test_a_fee_in_dollars_is_rounded_up() -> None:
    venue = Venue(order())
    row = venue.settle(trade(fee="0.099000001"))
    assert (venue.cash[0], row.fees) == (Decimal("9900.90099999"), Decimal("0.09900001"))
    assert ("fees", "USD", Decimal("0.09900001")) in venue.lines(EntryKind.FILL)


@pytest.mark.parametrize(
    ("side", "fee", "left"),
    [(Side.BUY, "0.001", "2.999"), (Side.BUY, "1", "2"), (Side.BUY, "1.5", "1.5"), (Side.SELL, "0.001", "0.999")],
)
def test_a_fee_in_the_coins_themselves_is_taken_of_those_that_there_are(side: Side, fee: str, left: str) -> None:
    venue = Venue(order(side=side), coins={"BTC": ("2", "1" if side is Side.SELL else "0")})
    row = venue.settle(trade(fee=fee, of="BTC"))
    assert (venue.position(), row.fees) == (Decimal(left), Decimal(fee) * 99)


def test_a_fee_in_coins_that_are_all_sold_comes_from_outside() -> None:
    venue = Venue(order(side=Side.SELL), coins={"BTC": ("1", "1")})
    venue.settle(trade(fee="0.001", of="BTC"))
    assert venue.lines(EntryKind.TRANSFER) == [
        ("external", "BTC", Decimal("-0.001")),
        ("fees", "BTC", Decimal("0.001")),
    ]
    assert venue.position() == 0


def test_a_fee_in_another_asset_is_rounded_up_and_counts_at_its_price() -> None:
    venue = Venue(order(), coins={"BNB": ("1", "0.5")}, prices={"BNB": Decimal(5)})
    row = venue.settle(trade(fee="0.600000001", of="BNB"))
    # What is reserved is not taken: the rest comes from outside.
    assert venue.lines(EntryKind.TRANSFER) == [
        ("position", "BNB", Decimal("-0.5")),
        ("fees", "BNB", Decimal("0.5")),
        ("external", "BNB", Decimal("-0.10000001")),
        ("fees", "BNB", Decimal("0.10000001")),
    ]
    assert (venue.position("BNB"), row.fees, venue.cash[0]) == (Decimal("0.5"), Decimal("3.00000001"), 9901)


def test_a_fee_in_what_nobody_quotes_counts_as_nothing() -> None:
    venue = Venue(order())
    row = venue.settle(trade(fee="0.6", of="XYZ"))
    assert (row.fees, venue.cash[0]) == (0, 9901)
    assert venue.lines(EntryKind.TRANSFER) == [("external", "XYZ", Decimal("-0.6")), ("fees", "XYZ", Decimal("0.6"))]


def test_an_end_waits_for_all_trades() -> None:
    venue = Venue(order())
    end = closing(VenueOrderState.CLOSED, filled=Decimal("0.5"))
    row = venue.settle(closings=(end,))
    assert (row.status, venue.unclosed) == ("pending", [SENT])
    row = venue.settle(trade("0.5"), closings=(end,))
    assert (row.status, row.filled_quantity, venue.unclosed) == (OrderStatus.CANCELLED, Decimal("0.5"), [])
    assert venue.cash == (Decimal("9950.5"), 0)


def test_what_is_closed_does_not_end_its_order_again() -> None:
    """Another follows it, which is open."""
    venue = Venue(order(), sent={"state": VenueOrderState.CLOSED, "cancel_reason": REPLACED})
    row = venue.settle(closings=(closing(VenueOrderState.CLOSED),))
    assert (row.status, venue.unclosed, venue.cash[1]) == ("pending", [], row.reserved)


@pytest.mark.parametrize(
    ("state", "status", "filled", "ends"),
    [
        (VenueOrderState.REFUSED, RemoteStatus.REJECTED, "0", OrderStatus.REJECTED),
        (VenueOrderState.ABSENT, RemoteStatus.REJECTED, "0", OrderStatus.REJECTED),
        (VenueOrderState.ABSENT, RemoteStatus.REJECTED, "0.5", OrderStatus.CANCELLED),
        (VenueOrderState.DROPPED, RemoteStatus.CANCELED, "0", OrderStatus.CANCELLED),
        (VenueOrderState.CLOSED, RemoteStatus.CANCELED, "0.5", OrderStatus.CANCELLED),
        (VenueOrderState.CLOSED, RemoteStatus.CLOSED, "0.5", OrderStatus.FILLED),
        (VenueOrderState.CLOSED, RemoteStatus.CLOSED, "0", OrderStatus.CANCELLED),
    ],
)
def test_how_an_order_ends(state: VenueOrderState, status: RemoteStatus, filled: str, ends: OrderStatus) -> None:
    venue = Venue(order(filled_quantity=filled))
    row = venue.settle(closings=(closing(state, status),))
    assert row.status is ends
    assert venue.cash == (10_000, 0)


@pytest.mark.parametrize(
    ("asked", "given", "state", "reason"),
    [
        (None, None, VenueOrderState.CLOSED, Reason.ENDED),
        ("trading_halted", Reason.ENDED, VenueOrderState.CLOSED, Reason.TRADING_HALTED),
        (REPLACED, Reason.ENDED, VenueOrderState.CLOSED, Reason.REQUESTED),
        ("requested", Reason.VANISHED, VenueOrderState.CLOSED, Reason.VANISHED),
        ("requested", Reason.NOT_SENT, VenueOrderState.ABSENT, Reason.NOT_SENT),
        ("requested", Reason.REFUSED, VenueOrderState.REFUSED, Reason.REFUSED),
        ("requested", None, VenueOrderState.DROPPED, Reason.REQUESTED),
    ],
)
def test_why_an_order_ends(asked: str | None, given: Reason | None, state: VenueOrderState, reason: Reason) -> None:
    row = Venue(order(), sent={"cancel_reason": asked}).settle(closings=(closing(state, reason=given),))
    assert row.reason == reason


def held(quantity: str = "2", asked: str = REPLACED) -> dict[str, Any]:
    """What was sent is cancelled, and another quantity is to follow at 98 dollars."""
    return {"held_id": HELD, "held_quantity": Decimal(quantity), "held_price": Decimal(98), "cancel_reason": asked}


def test_what_is_left_of_a_replacement_follows() -> None:
    venue = Venue(order(filled_quantity="0.25", reserved_for_changes="150"), sent=held())
    row = venue.settle(closings=(closing(VenueOrderState.CLOSED),))
    assert venue.settlement.releases == [Release(HELD, VenueOrderState.WAITING, Decimal("1.75"))]
    assert (row.status, row.quantity, row.price, row.reserved_for_changes) == ("pending", 2, 98, 0)
    assert venue.cash[1] == row.reserved == Decimal("171.843")


@pytest.mark.parametrize(
    ("sent", "end", "ends"),
    [
        (held(), closing(VenueOrderState.CLOSED, RemoteStatus.CLOSED), OrderStatus.FILLED),
        (held(), closing(VenueOrderState.REFUSED, RemoteStatus.REJECTED), OrderStatus.CANCELLED),
        (held(asked="trading_halted"), closing(VenueOrderState.CLOSED), OrderStatus.CANCELLED),
        (held("0.25"), closing(VenueOrderState.CLOSED), OrderStatus.CANCELLED),
    ],
)
def test_what_is_held_is_dropped_where_it_cannot_follow(sent: dict[str, Any], end: Closing, ends: OrderStatus) -> None:
    venue = Venue(order(filled_quantity="0.25", reserved_for_changes="150"), sent=sent)
    row = venue.settle(closings=(end,))
    [release] = venue.settlement.releases
    assert release.state is VenueOrderState.DROPPED
    assert (row.status, row.reserved_for_changes, venue.cash) == (ends, 0, (10_000, 0))


def test_what_was_never_sent_can_be_replaced() -> None:
    venue = Venue(order(), sent={**held(), "state": VenueOrderState.WAITING})
    venue.settle(closings=(closing(VenueOrderState.DROPPED),))
    assert venue.settlement.releases == [Release(HELD, VenueOrderState.WAITING, Decimal(2))]


def test_what_an_exchange_spends_beyond_the_books_was_paid_in() -> None:
    venue = Venue(order(quantity="2", reserved="100"), balance="100")
    venue.settle(trade("1", "99", fee="2"))
    # One more coin is to be bought for 100.2 dollars.
    assert (venue.settlement.short, venue.cash) == (
        {PORTFOLIO: 10_120_000_000},
        (Decimal("100.2"), Decimal("100.2")),
    )


@pytest.mark.parametrize(
    ("status", "reason", "filled", "quantity", "expected"),
    [
        ("filled", None, "1", "0.5", (OrderStatus.FILLED, None)),
        ("filled", None, "0.5", "0.25", (OrderStatus.FILLED, None)),
        ("cancelled", "vanished", "0.5", "0.25", (OrderStatus.CANCELLED, Reason.VANISHED)),
        ("cancelled", "vanished", "0.5", "0.5", (OrderStatus.FILLED, None)),
        ("rejected", "not_sent", "0", "0.5", (OrderStatus.CANCELLED, Reason.NOT_SENT)),
    ],
)
def test_a_trade_after_the_end_opens_nothing(
    status: str, reason: str | None, filled: str, quantity: str, expected: tuple[OrderStatus, Reason | None]
) -> None:
    row = order(status=status, reason=reason, filled_quantity=filled, reserved="0")
    venue = Venue(row, sent={"state": VenueOrderState.CLOSED})
    after = venue.settle(trade(quantity))
    assert (after.status, after.reason) == expected
    assert after.filled_quantity == Decimal(filled) + Decimal(quantity)
    assert venue.cash[1] == 0

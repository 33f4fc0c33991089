"""A settler that settles what a book says of orders: rows, cash and coins, without a book or a database."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from app.domains.trading.exchange.model import Outcome, Traded
from app.domains.trading.journal.model import CashRow, LotRow, PositionRow
from app.domains.trading.journal.rules.holdings import Holdings
from app.domains.trading.matching.model import Command, Market, OrderRow, Prices, Result
from app.domains.trading.matching.rules.settlement import Settlement
from app.domains.trading.matching.rules.working import Working
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE, units_of

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
PORTFOLIO, OWNER, BRACKET = UUID(int=100), UUID(int=200), UUID(int=300)
FIRST, SECOND, THIRD = (UUID(int=number) for number in (1, 2, 3))
MARKET = Market(bid=99 * PRICE_SCALE, ask=101 * PRICE_SCALE, at=0, rate=3 * PRICE_SCALE // 2, source="test")

_NUMBERS = frozenset(
    {"quantity", "quote_amount", "bound", "price", "stop_price", "protection_price", "reserve_rate", "reserved"}
    | {"reserved_for_changes", "filled_quantity", "filled_quote", "fees", "trail_amount", "trail_fraction"}
    | {"maker_fee_fraction", "taker_fee_fraction"}
)


def order(id: UUID = FIRST, **terms: Any) -> OrderRow:
    """A limit buy of one BTC at 100 dollars that rests, if nothing else is said; it reserves what it needs."""
    given: dict[str, Any] = {
        "owner": OWNER,
        "portfolio_id": PORTFOLIO,
        "currency": "USD",
        "life": 1,
        "symbol": "BTC",
        "side": Side.BUY,
        "type": "limit",
        "time_in_force": "gtc",
        "quantity": None if "quote_amount" in terms else "1",
        "price": "100" if terms.get("type", "limit") == "limit" else None,
        "maker_fee_fraction": "0.001",
        "taker_fee_fraction": "0.002",
        "reserved_for_changes": "0",
        "filled_quantity": "0",
        "filled_quote": "0",
        "fees": "0",
        "status": "pending",
        "priority": 1,
        "post_only": False,
        "sells_all": False,
        **terms,
    }
    reserved = given.pop("reserved", None)
    numbers = {
        name: Decimal(value) if name in _NUMBERS and value is not None else value for name, value in given.items()
    }
    fields = dict.fromkeys(OrderRow.__struct_fields__) | numbers
    row = OrderRow(**{**fields, "id": id, "reserved": Decimal(reserved or 0)})
    if reserved is not None:
        return row
    return OrderRow(**{**fields, "id": id, "reserved": Decimal(Working(row).need()).scaleb(-8)})


def trade(quantity: str, price: str = "100", *, taker: UUID | None = None, maker: UUID | None = FIRST) -> Traded:
    """A trade, with the house unless both orders are given."""
    return Traded(taker, maker, Side.BUY, units_of(Decimal(price), PRICE_SCALE), units_of(Decimal(quantity)))


@dataclass
class Settler:
    """The portfolio of these orders, which has this cash and these coins."""

    rows: list[OrderRow]
    balance: str = "10000"
    coins: str = "0"
    settlement: Settlement = field(init=False)
    holdings: Holdings = field(init=False)
    ids: "count[int]" = field(default_factory=lambda: count(1000))

    def settle(self, *outcomes: Outcome, command: Command | None = None, market: Market | None = MARKET) -> list[Any]:
        """Settles one result; returns the rows that have changed."""
        buys = sum((self.held(row) for row in self.rows if row.side == Side.BUY), Decimal(0))
        sells = sum((self.held(row) for row in self.rows if row.side == Side.SELL), Decimal(0))
        coins, cost = Decimal(self.coins), Decimal(self.coins) * 90
        positions = [PositionRow(PORTFOLIO, "BTC", coins, sells, cost, Decimal(0), AT)] if coins else []
        lots = [LotRow(PORTFOLIO, "BTC", UUID(int=50), 1, coins, cost, AT)] if coins else []
        self.holdings = Holdings([CashRow(PORTFOLIO, Decimal(self.balance), buys)], positions, lots)
        self.settlement = Settlement(self.rows, self.holdings, self.ids, lambda: UUID(int=next(self.ids)), AT)
        result = Result("BTC", command or Prices({}), market, list(outcomes))
        return [each.row for each in self.settlement.settle([result])]

    @staticmethod
    def held(row: OrderRow) -> Decimal:
        return row.reserved + row.reserved_for_changes

    def row(self, id: UUID = FIRST) -> Any:
        """The order as it is now."""
        return self.settlement.orders[id].row

    @property
    def cash(self) -> tuple[Any, ...]:
        """The balance, and what of it is reserved."""
        cash = self.holdings.cash[PORTFOLIO]
        return Decimal(cash.balance).scaleb(-8), Decimal(cash.reserved).scaleb(-8)

    @property
    def position(self) -> tuple[Any, ...]:
        """The coins, and how many of them are reserved."""
        held = self.holdings.position(PORTFOLIO, "BTC")
        return Decimal(held.quantity).scaleb(-8), Decimal(held.reserved).scaleb(-8)

"""Orders of Alice, placed as the graph places them."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from app.domains.accounts.model import Role, Viewer
from app.domains.trading.exchange.model import OrderType
from app.domains.trading.orders.model import NewOrder, OrderPreview
from app.domains.trading.quantities.model import Side
from app.kit.errors import Problem
from tests.domains.trading.matching.market import Market
from tests.domains.trading.stage import Stage

TRACES = (
    "SELECT count(*) FROM orders",
    "SELECT count(*) FROM exchange_inbox WHERE kind <> 'prices'",
    "SELECT count(*) FROM events",
    "SELECT count(*) FROM trading_halts",
    "SELECT count(*) FROM order_changes",
    "SELECT count(*) FROM idempotency_keys",
    "SELECT coalesce(sum(reserved), 0) FROM cash_balances",
    "SELECT coalesce(sum(reserved), 0) FROM positions",
    "SELECT coalesce(sum(reserved + reserved_for_changes), 0) FROM orders",
)
"""What nothing may change where something was refused."""


def order(side: Side = Side.BUY, quantity: str | None = "1", **terms: Any) -> NewOrder:
    """A market order, or one of these terms."""
    numbers = {"price", "stop_price", "trail_amount", "trail_fraction", "quote_amount"}
    given: dict[str, Any] = {name: Decimal(value) if name in numbers else value for name, value in terms.items()}
    market: dict[str, Any] = {
        "symbol": "BTC",
        "type": OrderType.MARKET,
        "quantity": None if quantity is None else Decimal(quantity),
    }
    return NewOrder(side=side, **{**market, **given})


def limit(side: Side = Side.BUY, quantity: str = "1", price: str = "90", **terms: Any) -> NewOrder:
    return order(side, quantity, type=OrderType.LIMIT, price=price, **terms)


@dataclass
class Trader:
    """A portfolio of Alice, and the market."""

    stage: Stage
    market: Market
    id: UUID

    async def place(self, new: NewOrder, id: UUID | None = None, key: str | None = None) -> UUID:
        return await self.stage.trading.orders.place(self.stage.alice, id or self.id, new, key or self.stage.key)

    async def preview(self, new: NewOrder, id: UUID | None = None) -> OrderPreview:
        return await self.stage.trading.previews.preview(self.stage.alice, id or self.id, new)

    async def hold(self, quantity: str = "2", symbol: str = "BTC", id: UUID | None = None) -> None:
        """The portfolio has coins, which cost it nothing here."""
        await self.stage.fill(id or self.id, Side.BUY, quantity, "1", symbol=symbol)

    async def reserved(self, id: UUID | None = None) -> Decimal:
        """The cash that is reserved."""
        cash: Decimal = (await self.stage.cash(id or self.id))[1]
        return cash

    async def coins(self, symbol: str = "BTC") -> Decimal:
        """The coins that are reserved."""
        found: Decimal = await self.stage.owner.fetchval(
            "SELECT reserved FROM positions WHERE portfolio_id = $1 AND symbol = $2", self.id, symbol
        )
        return found

    async def row(self, id: UUID) -> Any:
        return await self.stage.owner.fetchrow("SELECT * FROM orders WHERE id = $1", id)

    async def ended(self, id: UUID) -> tuple[Any, ...]:
        """The status of an order, what of it was filled, and the reason of its end."""
        return tuple(await self.market.status(id))

    async def inbox(self) -> list[Any]:
        """What the exchange was asked and has not done yet."""
        return await self.stage.owner.fetch(
            "SELECT kind, symbol, order_id, payload::text AS payload FROM exchange_inbox WHERE number IS NULL"
            " ORDER BY id"
        )

    async def traces(self) -> list[Any]:
        return [await self.stage.owner.fetchval(sql) for sql in TRACES]

    async def refused(self, new: NewOrder, id: UUID | None = None) -> Problem:
        """The problem of an order that is refused, of which nothing remains; the preview says the same."""
        before = await self.traces()
        try:
            await self.place(new, id)
        except Problem as problem:
            assert await self.traces() == before
            await self._previewed(problem, new, id)
            return problem
        raise AssertionError("it was placed")

    async def _previewed(self, problem: Problem, new: NewOrder, id: UUID | None) -> None:
        try:
            previewed: Problem | None = (await self.preview(new, id)).refusal
        except Problem as raised:
            previewed = raised
        assert (type(previewed), str(previewed)) == (type(problem), str(problem))


def admin(viewer: Viewer) -> Viewer:
    """The same person, as an admin."""
    return msgspec.structs.replace(viewer, role=Role.ADMIN)

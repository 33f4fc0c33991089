"""A market whose prices and orders the tests say, and the matcher that the tests call."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from app.domains.market.prices.model import Move
from app.domains.trading.matching.services.prices import PriceNotes
from app.domains.trading.quantities.model import Side
from app.kit.db import SYSTEM
from tests.domains.trading.reservations import check_reservations, needed_by
from tests.domains.trading.stage import Stage

FEES = {"maker_fee_fraction": Decimal("0.001"), "taker_fee_fraction": Decimal("0.002")}


@dataclass
class Market:
    """Orders as the service writes them, and prices as ticks do."""

    stage: Stage

    async def tick(self, price: str = "100", symbol: str = "BTC", *, rate: str = "1.5") -> None:
        """A tick of one token."""
        aud = Decimal(price) * Decimal(rate)
        await self.stage.quote({symbol: (price, f"{aud:f}")})
        move = Move(symbol, None, Decimal(price))
        await self.stage.database.write(SYSTEM, lambda tx: PriceNotes(self.stage.clock).note(tx, "simulated", [move]))

    async def match(self) -> int:
        """Matches until nothing is due; returns the number of fills."""
        matcher, fills = self.stage.trading.matcher, 0
        while (batch := await matcher.match()).commands:
            fills += batch.fills
        return fills

    async def place(self, portfolio_id: UUID, side: Side, quantity: str | None = None, **terms: Any) -> UUID:
        """An order in the inbox, with what it reserves."""
        [id] = await self.write(portfolio_id, [{"side": side, "quantity": quantity, **terms}])
        return id

    async def bracket(self, portfolio_id: UUID, quantity: str, take_profit: str, stop: str, **terms: Any) -> list[UUID]:
        """An entry, its take profit and its stop loss."""
        bracket_id = uuid4()
        entry = {"side": Side.BUY, "quantity": quantity, "bracket_id": bracket_id, "bracket_role": "entry", **terms}
        exit = {"side": Side.SELL, "quantity": quantity, "bracket_id": bracket_id, "reserves": False}
        return await self.write(
            portfolio_id,
            [
                entry,
                {**exit, "type": "limit", "price": take_profit, "bracket_role": "take_profit"},
                {**exit, "type": "stop", "stop_price": stop, "bracket_role": "stop_loss"},
            ],
        )

    async def write(self, portfolio_id: UUID, orders: list[dict[str, Any]]) -> list[UUID]:
        """Orders, of which the first is placed."""

        ids = list[UUID]()
        for given in orders:
            terms = {"type": "market", "symbol": "BTC", **given}
            reserves = terms.pop("reserves", True)
            if terms["side"] == Side.BUY and "price" not in terms and "protection_price" not in terms:
                terms["protection_price"] = "105"
            ids.append(await self._insert(portfolio_id, terms, reserves=reserves))
        await self._ask("place", ids[0], orders[0].get("symbol", "BTC"))
        return ids

    async def cancel(self, order_id: UUID, symbol: str = "BTC") -> None:
        await self._ask("cancel", order_id, symbol, {"reason": "requested"})

    async def replace(self, order_id: UUID, symbol: str = "BTC", **changes: str) -> None:
        await self._ask("replace", order_id, symbol, {"changes": changes, "extra": "0"})

    async def _ask(self, kind: str, order_id: UUID, symbol: str, payload: dict[str, Any] | None = None) -> None:
        await self.stage.owner.execute(
            "INSERT INTO exchange_inbox (kind, order_id, symbol, payload, created_at) VALUES ($1, $2, $3, $4, $5)",
            kind,
            order_id,
            symbol,
            json.dumps(payload or {}),
            self.stage.clock.now(),
        )

    async def _insert(self, portfolio_id: UUID, terms: dict[str, Any], *, reserves: bool) -> UUID:
        owner = self.stage.owner
        found = await owner.fetchrow("SELECT currency, life FROM portfolios WHERE id = $1", portfolio_id)
        assert found is not None
        numbers = {"quantity", "quote_amount", "price", "stop_price", "protection_price", "trail_amount", "bound"}
        row = {
            **{name: Decimal(value) if name in numbers and value else value for name, value in terms.items()},
            **FEES,
            "portfolio_id": portfolio_id,
            "life": found["life"],
            "mode": "paper",
        }
        if found["currency"] == "AUD":
            row["reserve_rate"] = Decimal("1.53")
        row["reserved"] = needed_by(row) if reserves else Decimal(0)
        names = ", ".join(row)
        values = ", ".join(f"${at}" for at in range(1, len(row) + 1))
        id = await owner.fetchval(f"INSERT INTO orders ({names}) VALUES ({values}) RETURNING id", *row.values())
        if row["side"] == Side.BUY:
            await owner.execute(
                "UPDATE cash_balances SET reserved = reserved + $2 WHERE portfolio_id = $1",
                portfolio_id,
                row["reserved"],
            )
        else:
            await owner.execute(
                "UPDATE positions SET reserved = reserved + $3 WHERE portfolio_id = $1 AND symbol = $2",
                portfolio_id,
                row["symbol"],
                row["reserved"],
            )
        made: UUID = id
        return made

    async def order(self, id: UUID) -> Any:
        return await self.stage.owner.fetchrow("SELECT * FROM orders WHERE id = $1", id)

    async def status(self, id: UUID) -> tuple[str, Decimal, str | None]:
        """The status of an order, what of it was filled, and the reason of its end."""
        row = await self.order(id)
        return row["status"], row["filled_quantity"], row["reason"]

    async def fills(self, id: UUID) -> list[Any]:
        """The fills of an order, in order."""
        return await self.stage.owner.fetch("SELECT * FROM fills WHERE order_id = $1 ORDER BY entry_id", id)

    async def check(self) -> None:
        """The books agree, and what is reserved is what open orders need."""
        assert await self.stage.findings() == []
        await check_reservations(self.stage.owner)


async def begin(stage: Stage) -> Market:
    """A market that is open: BTC costs 100."""
    market = Market(stage)
    await stage.trading.matcher.lead()
    await market.tick()
    await market.match()
    return market

"""A market whose prices a test moves, and what its alerts say to that."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.domains.accounts.model import Viewer
from app.domains.market.alerts import loaders as alert_loaders
from app.domains.market.alerts.model import Alert, Condition, NewAlert, PriceAbove, PriceBelow, Rearm
from app.domains.market.prices.model import Move
from app.domains.market.services import MarketServices
from app.kit.clock import FixedClock
from app.kit.db import SYSTEM, Database
from app.kit.reads import Reads
from tests.databases import Owner

SOURCE = "simulated"


def above(price: str) -> PriceAbove:
    return PriceAbove(Decimal(price))


def below(price: str) -> PriceBelow:
    return PriceBelow(Decimal(price))


@dataclass
class Stage:
    """The market's services over a database with some tokens, and a user."""

    market: MarketServices
    database: Database
    owner: Owner
    clock: FixedClock
    alice: Viewer
    prices: dict[str, Decimal] = field(default_factory=dict)
    made: int = 0

    async def create(
        self,
        condition: Condition,
        *,
        symbol: str = "BTC",
        by: Viewer | None = None,
        rearm: Rearm = Rearm.ONCE,
        cooldown_s: int | None = None,
        enabled: bool = True,
        expires_s: float | None = None,
    ) -> Alert:
        """A new alert, of Alice unless it is said whose."""
        self.made += 1
        new = NewAlert(
            symbol=symbol,
            condition=condition,
            rearm=rearm,
            cooldown_s=cooldown_s,
            enabled=enabled,
            expires_at=None if expires_s is None else self.clock.now() + timedelta(seconds=expires_s),
        )
        return await self.market.alerts.create(by or self.alice, new, f"alert {self.made}")

    async def tick(self, *prices: str, symbol: str = "BTC", seconds: float = 1) -> None:
        """The symbol's price goes through these, a tick each."""
        for price in map(Decimal, prices):
            self.clock.advance(timedelta(seconds=seconds))
            await self.move(Move(symbol, self.prices.get(symbol), price))
            self.prices[symbol] = price

    async def move(self, *moves: Move) -> None:
        """One tick of some symbols."""
        await self.database.write(SYSTEM, lambda tx: self.market.price_alerts.evaluate(tx, SOURCE, moves))

    async def alert(self, id: UUID, by: Viewer | None = None) -> Alert | None:
        """An alert as it stands, as its owner reads it."""
        reads = Reads(self.database, (by or self.alice).scope)
        try:
            return await reads.one(alert_loaders.alert_by_id, id)
        finally:
            await reads.aclose()

    async def titles(self, by: Viewer | None = None) -> list[str]:
        """A user's notifications, in order."""
        rows = await self.owner.fetch(
            "SELECT title FROM notifications WHERE user_id = $1 ORDER BY created_at, title",
            (by or self.alice).user_id,
        )
        return [row[0] for row in rows]

    async def facts(self, by: Viewer | None = None) -> list[Any]:
        """The payloads on a user's stream, in order."""
        stream = f"notifications:{(by or self.alice).user_id}"
        rows = await self.owner.fetch("SELECT payload::text FROM events WHERE stream = $1 ORDER BY seq", stream)
        return [json.loads(row[0]) for row in rows]

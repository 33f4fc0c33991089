"""Alerts on large payments, as a chain confirms them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from app.domains.market.alerts.model import AlertType, Passage
from app.domains.market.alerts.rules import whale_text
from app.domains.market.alerts.services.dispatcher import Firings
from app.domains.market.alerts.services.matcher import Passing
from app.domains.market.sources.model.chain import Chain, ChainTransfer
from app.domains.market.statements import ALERTS
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx

BATCH: Final = 500
KIND: Final = AlertType.WHALE_TX
CHAIN_SECOND: Final = timedelta(seconds=1)
"""A chain tells whole seconds: what was confirmed in the one in which an alert was armed may have been so after it."""


@dataclass(frozen=True)
class Whales:
    """Follows a chain. Its mark is the position up to which alerts have been asked."""

    database: Database
    clock: Clock
    firings: Firings
    passing: Passing
    chain: Chain

    async def follow(self) -> str:
        """Asks the alerts about every payment that was confirmed since. Whoever else follows meanwhile asks no second
        time. What was confirmed while nobody waited is passed over."""
        followed = fired = 0
        while True:
            position = await self._position()
            if position is None or self.chain.symbol not in await self.firings.armed_symbols(KIND):
                await self._begin()
                break
            transfers = await self.chain.transactions_after(position, BATCH)
            if transfers:
                fired += await self._ask(position, transfers)
                followed += len(transfers)
            if len(transfers) < BATCH:
                break
        return f"{followed} payments followed, {fired} alerts fired"

    async def _position(self) -> int | None:
        rows = await self.database.fetch(ALERTS.marks, KIND, [self.chain.source])
        return rows[0]["position"] if rows else None

    async def _begin(self) -> None:
        position = await self.chain.position()
        await self.database.write(SYSTEM, lambda tx: self._move(tx, position))

    async def _ask(self, position: int, transfers: Sequence[ChainTransfer]) -> int:
        async def work(tx: Tx) -> int:
            marks = await tx.fetch(ALERTS.lock_marks, KIND, [self.chain.source])
            if not marks or marks[0]["position"] != position:
                return 0
            await self._move(tx, transfers[-1].position)
            return await self.passing.tell(tx, [_passage(self.chain.symbol, each) for each in transfers])

        return await self.database.write(SYSTEM, work)

    async def _move(self, tx: Tx, position: int) -> None:
        await tx.execute(ALERTS.move_position, KIND, self.chain.source, position, self.clock.now())


def _passage(symbol: str, transfer: ChainTransfer) -> Passage:
    return Passage(
        symbol=symbol,
        alert_type=KIND,
        before=Decimal(0),
        after=transfer.amount,
        armed_before=transfer.confirmed_at + CHAIN_SECOND,
        text=whale_text(symbol, transfer.amount, transfer.transaction_hash, transfer.block_height),
    )

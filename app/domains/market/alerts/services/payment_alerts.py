"""Alerts on large payments that a chain confirms."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from app.domains.market.alerts.model import AlertType, Crossing
from app.domains.market.alerts.rules import whale_text
from app.domains.market.alerts.services.dispatcher import AlertDispatcher
from app.domains.market.alerts.services.matcher import AlertMatcher
from app.domains.market.alerts.statements import AlertSql
from app.domains.market.providers.model.chain import Chain, ChainTransfer
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx

BATCH: Final = 500
TYPE: Final = AlertType.WHALE_TRANSACTION
CHAIN_SECOND: Final = timedelta(seconds=1)
"""A chain has whole seconds: a payment that was confirmed in the second in which an alert was armed may be later."""


@dataclass(frozen=True)
class PaymentAlerts:
    """Fires alerts on payments. The mark is the position in the chain up to which payments were evaluated."""

    database: Database
    clock: Clock
    dispatcher: AlertDispatcher
    matcher: AlertMatcher
    chain: Chain

    async def evaluate(self) -> str:
        """Evaluates every payment that was confirmed since, each once however many workers do so at the same time.

        Payments that are confirmed while no alert is armed are skipped.
        """
        evaluated = fired = 0
        while True:
            position = await self._position()
            if position is None or self.chain.symbol not in await self.dispatcher.armed_symbols(TYPE):
                await self._skip()
                break
            transfers = await self.chain.transactions_after(position, BATCH)
            if transfers:
                fired += await self._match(position, transfers)
                evaluated += len(transfers)
            if len(transfers) < BATCH:
                break
        return f"{evaluated} payments followed, {fired} alerts fired"

    async def _position(self) -> int | None:
        mark = await self.database.fetch_one(AlertSql.marks, TYPE, [self.chain.source])
        return None if mark is None else mark.position

    async def _skip(self) -> None:
        position = await self.chain.position()
        await self.database.write(SYSTEM, lambda tx: self._move(tx, position))

    async def _match(self, position: int, transfers: Sequence[ChainTransfer]) -> int:
        async def work(tx: Tx) -> int:
            mark = await tx.fetch_one(AlertSql.lock_marks, TYPE, [self.chain.source])
            if mark is None or mark.position != position:
                return 0
            await self._move(tx, transfers[-1].position)
            return await self.matcher.match(tx, [_crossing(self.chain.symbol, each) for each in transfers])

        return await self.database.write(SYSTEM, work)

    async def _move(self, tx: Tx, position: int) -> None:
        await tx.execute(AlertSql.move_position, TYPE, self.chain.source, position, self.clock.now())


def _crossing(symbol: str, transfer: ChainTransfer) -> Crossing:
    return Crossing(
        symbol=symbol,
        alert_type=TYPE,
        before=Decimal(0),
        after=transfer.amount,
        armed_before=transfer.confirmed_at + CHAIN_SECOND,
        text=whale_text(symbol, transfer.amount, transfer.transaction_hash, transfer.block_height),
    )

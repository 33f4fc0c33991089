"""Prices enter the inbox in the transaction of their tick: none is lost, and none comes late."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domains.market.prices.model import Move
from app.domains.trading.matching.statements import MatchingSql
from app.kit.clock import Clock
from app.kit.db import Tx


@dataclass(frozen=True)
class PriceNotes:
    """Notes the prices of ticks."""

    clock: Clock

    async def note(self, tx: Tx, exchange: str, moves: Sequence[Move]) -> None:
        """Puts the quotes that a tick has stored into the inbox, those that did not move as well."""
        symbols = [move.symbol for move in moves]
        await tx.execute(MatchingSql.note_prices, exchange, symbols, self.clock.now())

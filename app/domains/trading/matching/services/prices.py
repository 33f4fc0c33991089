"""Prices enter the inbox in the transaction of their tick: none is lost, and none comes late."""

from collections.abc import Sequence

from app.domains.market.prices.model import Move
from app.domains.trading.matching.statements import MatchingSql
from app.kit.db import Tx


async def note_prices(tx: Tx, exchange: str, moves: Sequence[Move]) -> None:
    """Puts the quotes that a tick has stored into the inbox, those that did not move as well."""
    await tx.execute(MatchingSql.note_prices, exchange, [move.symbol for move in moves])

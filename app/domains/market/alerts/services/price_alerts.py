"""Alerts on prices, at every tick."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domains.market.alerts.model import AlertType, Passage
from app.domains.market.alerts.services.matcher import Passing
from app.domains.market.prices.model import Move
from app.kit.db import Tx


@dataclass(frozen=True)
class Crossings:
    """Lets the alerts fire whose prices a tick came to."""

    passing: Passing

    async def cross(self, tx: Tx, source: str, moves: Sequence[Move]) -> None:
        """What a tick owes to alerts: call it last in the transaction that stores the prices, which are the mark.

        `source` is who says so. A first price is not come to from anywhere: it crosses nothing.
        """
        passages = [
            Passage(
                symbol=move.symbol,
                alert_type=AlertType.PRICE_ABOVE if move.before < move.after else AlertType.PRICE_BELOW,
                before=move.before,
                after=move.after,
                source=source,
            )
            for move in moves
            if move.before is not None and move.before != move.after
        ]
        await self.passing.tell(tx, passages)

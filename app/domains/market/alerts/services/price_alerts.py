"""Alerts on prices, which every tick evaluates."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domains.market.alerts.model import AlertType, Crossing
from app.domains.market.alerts.services.matcher import AlertMatcher
from app.domains.market.prices.model import Move
from app.kit.db import Tx


@dataclass(frozen=True)
class PriceAlerts:
    """Fires alerts on prices."""

    matcher: AlertMatcher

    async def evaluate(self, tx: Tx, source: str, moves: Sequence[Move]) -> None:
        """Fires the alerts whose prices were crossed. `source` is the source of the prices.

        Call this last in the transaction that stores the prices: the stored price is the mark. The first price of a
        token crosses nothing.
        """
        crossings = [
            Crossing(
                symbol=move.symbol,
                alert_type=AlertType.PRICE_ABOVE if move.before < move.after else AlertType.PRICE_BELOW,
                before=move.before,
                after=move.after,
                source=source,
            )
            for move in moves
            if move.before is not None and move.before != move.after
        ]
        await self.matcher.match(tx, crossings)

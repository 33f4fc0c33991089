"""Alerts on prices, at every tick."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domains.market.model.alerts import AlertType, ArmedAlert, Firing, Passage
from app.domains.market.model.prices import Move
from app.domains.market.rules.alerts import price_text
from app.domains.market.services.alerts.firing import Firings
from app.kit.db import Tx


@dataclass(frozen=True)
class Crossings:
    """Lets the alerts fire whose prices a tick came to."""

    firings: Firings

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
            )
            for move in moves
            if move.before is not None and move.before != move.after
        ]
        if passages:
            met = await self.firings.passed(tx, passages)
            await self.firings.fire(tx, [_firing(alert, passage, source) for alert, passage in met])


def _firing(alert: ArmedAlert, passage: Passage, source: str) -> Firing:
    text = price_text(alert.alert_type, alert.symbol, alert.threshold_value, passage.after, source)
    return Firing(alert.id, passage.after, *text)

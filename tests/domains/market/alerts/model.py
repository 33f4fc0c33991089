"""Alerts on prices as anybody would write them who has only to be right."""

from dataclasses import dataclass
from decimal import Decimal

from app.domains.market.alerts.model import PriceAbove, PriceBelow, Rearm


@dataclass
class Model:
    """An alert; times are in seconds."""

    rises: bool
    threshold: Decimal
    rearm: Rearm
    cooldown_s: int | None = None
    expires_s: float | None = None
    fired_at_s: tuple[float, ...] = ()

    @property
    def condition(self) -> PriceAbove | PriceBelow:
        return PriceAbove(self.threshold) if self.rises else PriceBelow(self.threshold)

    def see(self, before: Decimal, after: Decimal, at_s: float) -> None:
        """A tick."""
        crossed = before < self.threshold <= after if self.rises else before > self.threshold >= after
        alive = self.expires_s is None or at_s < self.expires_s
        rested = not self.fired_at_s or (
            self.rearm is Rearm.EVERY_TIME
            or (self.cooldown_s is not None and at_s >= self.fired_at_s[-1] + self.cooldown_s)
        )
        if crossed and alive and rested:
            self.fired_at_s = (*self.fired_at_s, at_s)

"""Where prices, tokens and all that is known of them come from: one small interface over several providers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Self

from app.domains.market.services.directory import Directory
from app.domains.market.services.providers.protocols import (
    DefiProvider,
    DerivativesProvider,
    PriceProvider,
    SocialProvider,
)
from app.domains.market.services.providers.simulated import SimulatedProvider
from app.kit.clock import Clock
from app.settings import Settings

__all__ = ["DefiProvider", "DerivativesProvider", "PriceProvider", "Providers", "SocialProvider"]

SIMULATED_PERIOD_S = 1.0


@dataclass(frozen=True)
class Providers:
    """Who is asked for what. Null: nobody is configured, and nothing is invented."""

    prices: PriceProvider
    social: SocialProvider | None = None
    derivatives: DerivativesProvider | None = None
    defi: DefiProvider | None = None
    closing: tuple[Callable[[], Awaitable[None]], ...] = ()

    @classmethod
    def build(cls, settings: Settings, directory: Directory, clock: Clock) -> Self:
        """Those that the settings name. Nothing is asked yet."""
        period_s = settings.market_period_s or SIMULATED_PERIOD_S
        return cls(SimulatedProvider(directory, clock, seed=settings.market_seed, period_s=period_s))

    async def aclose(self) -> None:
        """Closes the connections."""
        for close in self.closing:
            await close()

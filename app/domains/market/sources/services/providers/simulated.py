"""The provider that invents: the default, so that Moneta runs without a network, and says so wherever it shows."""

from collections.abc import Sequence

from app.domains.market.prices.model import Quotes
from app.domains.market.sources.model import Reason
from app.domains.market.sources.rules.profiles import base_quotes, profiles_of
from app.domains.market.sources.rules.simulation import Simulation
from app.domains.market.sources.services.directory import Directory
from app.domains.market.sources.services.providers.bundled import bundled_listings
from app.domains.market.tokens.model import Listing
from app.kit.clock import Clock

SIMULATED = "simulated"


class SimulatedProvider:
    """A market that moves by chance. It goes on from what is stored, so that a restart is no jump."""

    name = SIMULATED

    def __init__(self, directory: Directory, clock: Clock, *, seed: int, period_s: float) -> None:
        self.period_s = period_s
        self._directory = directory
        self._clock = clock
        self._seed = seed
        self._asked: frozenset[str] | None = None
        self._simulation = Simulation([], seed=seed, last={})

    async def tokens(self, limit: int) -> list[Listing]:
        """The bundled tokens."""
        return list(bundled_listings()[:limit])

    async def quotes(self, symbols: Sequence[str]) -> Quotes:
        """The next step of the market. A symbol that is not listed has no quote."""
        asked = frozenset(symbols)
        if asked != self._asked:
            self._simulation = await self._begin()
            self._asked = asked
        accepted = [quote for quote in self._simulation.step(self._clock.now()) if quote.symbol in asked]
        unknown = len(asked) - len(accepted)
        return Quotes(accepted, {Reason.UNKNOWN_SYMBOL.value: unknown} if unknown else {})

    async def _begin(self) -> Simulation:
        # All that are listed, asked for or not: a wrapped token must find what it follows.
        now, listings = self._clock.now(), await self._directory.listed()
        last = {quote.symbol: quote for quote in base_quotes(listings, now)}
        last |= await self._directory.last_quotes(SIMULATED)
        # What is running is newer than what is stored.
        last |= {quote.symbol: quote for quote in self._simulation.step(now)}
        return Simulation(profiles_of(listings), seed=self._seed, last=last)

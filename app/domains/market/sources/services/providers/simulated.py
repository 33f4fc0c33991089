"""The provider of simulated prices. It is the default, so that Moneta runs without a network."""

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
    """A market that moves randomly. It continues from the stored quotes, so that prices do not jump at a restart."""

    name = SIMULATED

    def __init__(self, directory: Directory, clock: Clock, *, seed: int, period_s: float) -> None:
        self.period_s = period_s
        self._directory = directory
        self._clock = clock
        self._seed = seed
        self._requested: frozenset[str] | None = None
        self._simulation = Simulation([], seed=seed, last={})

    async def tokens(self, limit: int) -> list[Listing]:
        """Returns the bundled tokens."""
        return list(bundled_listings()[:limit])

    async def quotes(self, symbols: Sequence[str]) -> Quotes:
        """Returns the next step of the market. A symbol that is not listed has no quote."""
        requested = frozenset(symbols)
        if requested != self._requested:
            self._simulation = await self._begin()
            self._requested = requested
        accepted = [quote for quote in self._simulation.step(self._clock.now()) if quote.symbol in requested]
        unknown = len(requested) - len(accepted)
        return Quotes(accepted, {Reason.UNKNOWN_SYMBOL.value: unknown} if unknown else {})

    async def _begin(self) -> Simulation:
        # All listed tokens, requested or not: a wrapped token follows another one.
        now, listings = self._clock.now(), await self._directory.listed()
        last = {quote.symbol: quote for quote in base_quotes(listings, now)}
        last |= await self._directory.last_quotes(SIMULATED)
        # The running simulation is newer than the stored quotes.
        last |= {quote.symbol: quote for quote in self._simulation.step(now)}
        return Simulation(profiles_of(listings), seed=self._seed, last=last)

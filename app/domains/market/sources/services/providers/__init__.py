"""The providers of prices, tokens and further data, behind one interface for each kind of data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from pydantic import SecretStr

from app.domains.market.sources.services.directory import Directory
from app.domains.market.sources.services.providers.client import Policy, ProviderClient
from app.domains.market.sources.services.providers.coingecko import (
    COINGECKO,
    CoinGeckoDefi,
    CoinGeckoDerivatives,
    CoinGeckoPrices,
    key_header,
)
from app.domains.market.sources.services.providers.coinmarketcap import COINMARKETCAP, KEY_HEADER, CoinMarketCapPrices
from app.domains.market.sources.services.providers.lunarcrush import LUNARCRUSH, LunarCrushSocial
from app.domains.market.sources.services.providers.protocols import (
    DefiProvider,
    DerivativesProvider,
    PriceProvider,
    SocialProvider,
)
from app.domains.market.sources.services.providers.simulated import SimulatedProvider
from app.domains.market.sources.services.sources import Sources
from app.kit.clock import Clock
from app.settings import Settings

__all__ = ["DefiProvider", "DerivativesProvider", "PriceProvider", "Providers", "SocialProvider"]

SIMULATED_PERIOD_S = 1.0
# Both providers update their answers about once a minute.
POLLED_PERIOD_S = 60.0


@dataclass(frozen=True)
class Providers:
    """The provider of each kind of data. Null: none is configured, and the data is not available."""

    prices: PriceProvider
    social: SocialProvider | None = None
    derivatives: DerivativesProvider | None = None
    defi: DefiProvider | None = None
    clients: tuple[ProviderClient, ...] = ()

    @classmethod
    def build(cls, settings: Settings, directory: Directory, sources: Sources, clock: Clock) -> Self:
        """Builds the configured providers. Sends no request; with the default settings, none is ever sent."""
        clients: list[ProviderClient] = []

        def client(name: str, url: str, requests_per_minute: int, headers: Mapping[str, str]) -> ProviderClient:
            policy = Policy(
                requests_per_minute, timeout_s=settings.provider_timeout_s, attempts=settings.provider_attempts
            )
            clients.append(ProviderClient(name, url, policy, clock, headers=headers))
            return clients[-1]

        coingecko = lunarcrush = None
        if settings.market_provider == COINGECKO or settings.coingecko_key is not None:
            headers = key_header(settings.coingecko_url, _secret(settings.coingecko_key))
            coingecko = client(COINGECKO, settings.coingecko_url, settings.coingecko_requests_per_minute, headers)
        if settings.lunarcrush_key is not None:
            headers = {"authorization": f"Bearer {_secret(settings.lunarcrush_key)}"}
            lunarcrush = client(LUNARCRUSH, settings.lunarcrush_url, settings.lunarcrush_requests_per_minute, headers)
        period_s, max_age = settings.market_period_s or POLLED_PERIOD_S, timedelta(seconds=settings.market_quote_age_s)
        prices: PriceProvider
        if settings.market_provider == COINMARKETCAP:
            headers = {KEY_HEADER: _secret(settings.coinmarketcap_key) or ""}
            rate = settings.coinmarketcap_requests_per_minute
            polled = client(COINMARKETCAP, settings.coinmarketcap_url, rate, headers)
            prices = CoinMarketCapPrices(polled, directory, clock, period_s=period_s, max_age=max_age)
        elif settings.market_provider == COINGECKO and coingecko is not None:
            prices = CoinGeckoPrices(coingecko, directory, clock, period_s=period_s, max_age=max_age)
        else:
            period_s = settings.market_period_s or SIMULATED_PERIOD_S
            prices = SimulatedProvider(directory, clock, seed=settings.market_seed, period_s=period_s)
        return cls(
            prices,
            social=None if lunarcrush is None else LunarCrushSocial(lunarcrush, sources, clock),
            derivatives=None if coingecko is None else CoinGeckoDerivatives(coingecko, sources, clock),
            defi=None if coingecko is None else CoinGeckoDefi(coingecko, directory, sources, clock),
            clients=tuple(clients),
        )

    async def aclose(self) -> None:
        """Closes the connections."""
        for client in self.clients:
            await client.aclose()


def _secret(key: SecretStr | None) -> str | None:
    return None if key is None else key.get_secret_value()

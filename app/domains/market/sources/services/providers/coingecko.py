"""CoinGecko: tokens and prices without a key; derivatives and what is locked in DeFi."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote

from app.domains.market.prices.model import Quotes
from app.domains.market.sources.model import SourceKind
from app.domains.market.sources.model.defi import Defi
from app.domains.market.sources.model.derivatives import Derivatives
from app.domains.market.sources.services.directory import Directory
from app.domains.market.sources.services.providers.cached import Remembered
from app.domains.market.sources.services.providers.client import Absent, ProviderClient
from app.domains.market.sources.services.providers.coingecko_shapes import (
    claims_of,
    defi_of,
    derivatives_of,
    listings_of,
)
from app.domains.market.sources.services.providers.validation import Beliefs, Unbelievable
from app.domains.market.sources.services.sources import Sources
from app.domains.market.tokens.model import Listing
from app.kit.clock import Clock
from app.kit.errors import Unavailable

COINGECKO: Final = "coingecko"
PAGE: Final = 250
"""The most that it gives in one answer."""
DERIVATIVES_HOLD: Final = timedelta(minutes=1)


def key_header(base_url: str, key: str | None) -> dict[str, str]:
    """The paid and the free plans have another address, and another name for the key."""
    if key is None:
        return {}
    return {"x-cg-pro-api-key" if "//pro-api." in base_url else "x-cg-demo-api-key": key}


class CoinGeckoPrices:
    """Tokens and prices, in dollars and in Australian dollars."""

    name = COINGECKO

    def __init__(
        self, client: ProviderClient, directory: Directory, clock: Clock, *, period_s: float, max_age: timedelta
    ) -> None:
        self.period_s = period_s
        self._client = client
        self._directory = directory
        self._clock = clock
        self._max_age = max_age
        self._beliefs: Beliefs | None = None
        self._listed: list[Listing] = []

    async def tokens(self, limit: int) -> list[Listing]:
        """The largest tokens, at most 250."""
        answer = await self._markets("usd", per_page=min(limit, PAGE))
        try:
            return listings_of(answer, Counter())
        except Unbelievable as doubt:
            raise _garbled(doubt) from doubt

    async def quotes(self, symbols: Sequence[str]) -> Quotes:
        """What the tokens are worth, in two questions for each 250."""
        beliefs = await self._believed_so_far()
        wanted = set(symbols)
        symbols_by_id = {each.coingecko_id: each.symbol for each in await self._listings() if each.symbol in wanted}
        ignored: Counter[str] = Counter()
        claims = []
        try:
            for ids in batched_ids(symbols_by_id):
                in_usd, in_aud = await asyncio.gather(*(self._markets(each, ids=ids) for each in ("usd", "aud")))
                claims += claims_of(in_usd, in_aud, symbols_by_id, ignored)
        except Unbelievable as doubt:
            raise _garbled(doubt) from doubt
        return beliefs.quotes(claims, symbols, self._clock.now(), ignored)

    async def _listings(self) -> list[Listing]:
        try:
            self._listed = await self._directory.listed()
        except Unavailable:
            # While the database is gone, prices are told all the same.
            if not self._listed:
                raise
        return self._listed

    async def _believed_so_far(self) -> Beliefs:
        if self._beliefs is None:
            self._beliefs = Beliefs(await self._directory.last_quotes(COINGECKO), self._max_age)
        return self._beliefs

    async def _markets(self, currency: str, *, ids: Sequence[str] = (), per_page: int = PAGE) -> Any:
        params: dict[str, str | int] = {
            "vs_currency": currency,
            "order": "market_cap_desc",
            "per_page": per_page,
            "page": 1,
            "price_change_percentage": "24h",
        }
        if ids:
            params["ids"] = ",".join(ids)
        return await self._client.get("/coins/markets", params)


class CoinGeckoDerivatives:
    """The perpetual contracts of all exchanges, fetched together and held for a minute."""

    name = COINGECKO

    def __init__(self, client: ProviderClient, sources: Sources, clock: Clock) -> None:
        self._client = client
        self._sources = sources
        self._clock = clock
        self._all = Remembered(self._fetch, clock, DERIVATIVES_HOLD)

    async def derivatives(self, symbol: str) -> Derivatives | None:
        """The contracts on a token; None where there are none."""
        return (await self._all.get()).get(symbol.upper())

    async def _fetch(self) -> dict[str, Derivatives]:
        ignored: Counter[str] = Counter()
        async with self._sources.counting(COINGECKO, SourceKind.DERIVATIVES, ignored) as accept:
            try:
                answer = await self._client.get("/derivatives")
                # Twenty thousand contracts take a while.
                found = await asyncio.to_thread(derivatives_of, answer, self._clock.now(), ignored)
            except Unbelievable as doubt:
                raise _garbled(doubt) from doubt
            accept(sum(each.contracts for each in found.values()))
            return found


class CoinGeckoDefi:
    """What is locked in the protocol behind a token."""

    name = COINGECKO

    def __init__(self, client: ProviderClient, directory: Directory, sources: Sources, clock: Clock) -> None:
        self._client = client
        self._directory = directory
        self._sources = sources
        self._clock = clock

    async def defi(self, symbol: str) -> Defi | None:
        """What is locked; None where the token has no protocol, or is not listed."""
        ids = [each.coingecko_id for each in await self._directory.listed() if each.symbol == symbol.upper()]
        if not ids:
            return None
        async with self._sources.counting(COINGECKO, SourceKind.DEFI, Counter()) as accept:
            try:
                answer = await self._client.get(f"/coins/{quote(ids[0], safe='')}", _ONLY_THE_MARKET)
                found = defi_of(answer, symbol.upper(), self._clock.now())
            except Absent:
                return None
            except Unbelievable as doubt:
                raise _garbled(doubt) from doubt
            accept(0 if found is None else 1)
            return found


_ONLY_THE_MARKET: Final[dict[str, str | int]] = {
    "localization": "false",
    "tickers": "false",
    "market_data": "true",
    "community_data": "false",
    "developer_data": "false",
    "sparkline": "false",
}


def batched_ids(ids: Sequence[str] | dict[str, str]) -> list[list[str]]:
    """The ids in lists that one question may hold."""
    every = list(ids)
    return [every[begin : begin + PAGE] for begin in range(0, len(every), PAGE)]


def _garbled(error: Exception) -> Unavailable:
    return Unavailable(f"{COINGECKO} gives an answer of another shape: {str(error) or type(error).__name__}.")

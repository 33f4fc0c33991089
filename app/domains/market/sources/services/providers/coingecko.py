"""CoinGecko: tokens and prices, which need no key; derivatives and DeFi."""

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
from app.domains.market.sources.services.providers.cached import CachedAnswer
from app.domains.market.sources.services.providers.client import ProviderClient, ResourceNotFound
from app.domains.market.sources.services.providers.coingecko_shapes import (
    defi_of,
    derivatives_of,
    listings_of,
    raw_quotes_of,
)
from app.domains.market.sources.services.providers.validation import QuoteValidator, RejectedValue
from app.domains.market.sources.services.sources import Sources
from app.domains.market.tokens.model import Listing
from app.kit.clock import Clock
from app.kit.errors import Unavailable

COINGECKO: Final = "coingecko"
PAGE: Final = 250
"""The maximum number of tokens in one response."""
DERIVATIVES_TTL: Final = timedelta(minutes=1)


def key_header(base_url: str, key: str | None) -> dict[str, str]:
    """Returns the header of the key. The paid and the free plans have different addresses and header names."""
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
        self._validator: QuoteValidator | None = None
        self._listed: list[Listing] = []

    async def tokens(self, limit: int) -> list[Listing]:
        """Returns the largest tokens, at most 250."""
        answer = await self._markets("usd", per_page=min(limit, PAGE))
        try:
            return listings_of(answer, Counter())
        except RejectedValue as rejected:
            raise _malformed(rejected) from rejected

    async def quotes(self, symbols: Sequence[str]) -> Quotes:
        """Returns quotes of the tokens, with two requests for each 250."""
        validator = await self._get_validator()
        wanted = set(symbols)
        symbols_by_id = {each.coingecko_id: each.symbol for each in await self._listings() if each.symbol in wanted}
        ignored: Counter[str] = Counter()
        raw_quotes = []
        try:
            for ids in batched_ids(symbols_by_id):
                in_usd, in_aud = await asyncio.gather(*(self._markets(each, ids=ids) for each in ("usd", "aud")))
                raw_quotes += raw_quotes_of(in_usd, in_aud, symbols_by_id, ignored)
        except RejectedValue as rejected:
            raise _malformed(rejected) from rejected
        return validator.quotes(raw_quotes, symbols, self._clock.now(), ignored)

    async def _listings(self) -> list[Listing]:
        try:
            self._listed = await self._directory.listed()
        except Unavailable:
            # Prices are published even while the database is not available.
            if not self._listed:
                raise
        return self._listed

    async def _get_validator(self) -> QuoteValidator:
        if self._validator is None:
            self._validator = QuoteValidator(await self._directory.last_quotes(COINGECKO), self._max_age)
        return self._validator

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
    """The perpetual contracts of all exchanges, fetched together and cached for a minute."""

    name = COINGECKO

    def __init__(self, client: ProviderClient, sources: Sources, clock: Clock) -> None:
        self._client = client
        self._sources = sources
        self._clock = clock
        self._all = CachedAnswer(self._fetch, clock, DERIVATIVES_TTL)

    async def derivatives(self, symbol: str) -> Derivatives | None:
        """Returns the contracts on a token; None if there are none."""
        return (await self._all.get()).get(symbol.upper())

    async def _fetch(self) -> dict[str, Derivatives]:
        ignored: Counter[str] = Counter()
        async with self._sources.counting(COINGECKO, SourceKind.DERIVATIVES, ignored) as accept:
            try:
                answer = await self._client.get("/derivatives")
                # There are some twenty thousand contracts.
                found = await asyncio.to_thread(derivatives_of, answer, self._clock.now(), ignored)
            except RejectedValue as rejected:
                raise _malformed(rejected) from rejected
            accept(sum(each.contracts for each in found.values()))
            return found


class CoinGeckoDefi:
    """The value locked in the protocol of a token."""

    name = COINGECKO

    def __init__(self, client: ProviderClient, directory: Directory, sources: Sources, clock: Clock) -> None:
        self._client = client
        self._directory = directory
        self._sources = sources
        self._clock = clock

    async def defi(self, symbol: str) -> Defi | None:
        """Returns the value locked; None if the token has no protocol, or is not listed."""
        ids = [each.coingecko_id for each in await self._directory.listed() if each.symbol == symbol.upper()]
        if not ids:
            return None
        async with self._sources.counting(COINGECKO, SourceKind.DEFI, Counter()) as accept:
            try:
                answer = await self._client.get(f"/coins/{quote(ids[0], safe='')}", _MARKET_DATA_ONLY)
                found = defi_of(answer, symbol.upper(), self._clock.now())
            except ResourceNotFound:
                return None
            except RejectedValue as rejected:
                raise _malformed(rejected) from rejected
            accept(0 if found is None else 1)
            return found


_MARKET_DATA_ONLY: Final[dict[str, str | int]] = {
    "localization": "false",
    "tickers": "false",
    "market_data": "true",
    "community_data": "false",
    "developer_data": "false",
    "sparkline": "false",
}


def batched_ids(ids: Sequence[str] | dict[str, str]) -> list[list[str]]:
    """Splits ids into lists that fit into one request."""
    every = list(ids)
    return [every[begin : begin + PAGE] for begin in range(0, len(every), PAGE)]


def _malformed(error: Exception) -> Unavailable:
    return Unavailable(f"{COINGECKO} sent a malformed response: {str(error) or type(error).__name__}.")

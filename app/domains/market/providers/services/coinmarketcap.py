"""CoinMarketCap: tokens and prices, which need a key."""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from app.domains.market.prices.model import Quotes
from app.domains.market.providers.services.client import ProviderClient
from app.domains.market.providers.services.directory import Directory
from app.domains.market.providers.services.validation import QuoteValidator, RawQuote, text
from app.domains.market.sources.model import Reason
from app.domains.market.tokens.model import Listing
from app.domains.market.tokens.rules.listing import FOREIGN_ID
from app.kit.clock import Clock
from app.kit.errors import Unavailable

COINMARKETCAP: Final = "coinmarketcap"
KEY_HEADER: Final = "X-CMC_PRO_API_KEY"
_VALID_SYMBOL = re.compile(r"[0-9A-Za-z$@-]+")
_UNRANKED: Final = 10**9


class CoinMarketCapPrices:
    """Tokens and prices. A request is for one currency, as the smallest plan requires."""

    name = COINMARKETCAP

    def __init__(
        self, client: ProviderClient, directory: Directory, clock: Clock, *, period_s: float, max_age: timedelta
    ) -> None:
        self.period_s = period_s
        self._client = client
        self._directory = directory
        self._clock = clock
        self._max_age = max_age
        self._validator: QuoteValidator | None = None

    async def tokens(self, limit: int) -> list[Listing]:
        """Returns the largest tokens."""
        params: dict[str, str | int] = {"start": 1, "limit": limit, "sort": "market_cap", "convert": "USD"}
        return listings_of(await self._get("/v1/cryptocurrency/listings/latest", params), Counter())

    async def quotes(self, symbols: Sequence[str]) -> Quotes:
        """Returns quotes of the tokens, with two requests."""
        if self._validator is None:
            self._validator = QuoteValidator(await self._directory.last_quotes(COINMARKETCAP), self._max_age)
        ignored: Counter[str] = Counter()
        wanted = ",".join(symbol for symbol in symbols if _VALID_SYMBOL.fullmatch(symbol))
        raw_quotes: list[RawQuote] = []
        if wanted:
            in_usd, in_aud = await asyncio.gather(*(self._latest(wanted, currency) for currency in ("USD", "AUD")))
            raw_quotes = raw_quotes_of(in_usd, in_aud, ignored)
        return self._validator.quotes(raw_quotes, symbols, self._clock.now(), ignored)

    async def _latest(self, symbols: str, currency: str) -> Any:
        params: dict[str, str | int] = {"symbol": symbols, "convert": currency, "skip_invalid": "true"}
        return await self._get("/v2/cryptocurrency/quotes/latest", params)

    async def _get(self, path: str, params: Mapping[str, str | int]) -> Any:
        answer = await self._client.get(path, params)
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, list | dict):
            raise Unavailable(f"{COINMARKETCAP} sent a malformed response.")
        return data


def listings_of(data: Any, ignored: Counter[str]) -> list[Listing]:
    """Returns the tokens of `/v1/cryptocurrency/listings/latest`. Their CoinGecko ids are unknown: they get our own."""
    listings = []
    for row in data if isinstance(data, list) else []:
        fields = row if isinstance(row, dict) else {}
        id, rank = fields.get("id"), fields.get("cmc_rank")
        symbol, name = text(fields.get("symbol"), 20), text(fields.get("name"), 255)
        if (
            type(id) is not int
            or type(rank) is not int
            or rank < 1
            or not symbol
            or not name
            or len(symbol.upper()) > 20
        ):
            ignored[Reason.INCOMPLETE.value] += 1
            continue
        listings.append(Listing(f"{FOREIGN_ID}{id}"[:100], symbol.upper(), name, rank))
    return listings


def raw_quotes_of(in_usd: Any, in_aud: Any, ignored: Counter[str]) -> list[RawQuote]:
    """Returns the quotes of `/v2/cryptocurrency/quotes/latest`: of the tokens with a symbol, that of the largest."""
    aud_rows = _largest(in_aud, Counter())
    raw_quotes = []
    for symbol, row in _largest(in_usd, ignored).items():
        dollars = _quote(row, "USD")
        # The two requests can return different tokens with the same symbol.
        australian = (
            _quote(aud_rows.get(symbol, {}), "AUD") if aud_rows.get(symbol, {}).get("id") == row.get("id") else {}
        )
        raw_quotes.append(
            RawQuote(
                symbol=symbol,
                at=dollars.get("last_updated"),
                price_usd=dollars.get("price"),
                price_aud=australian.get("price"),
                volume_24h_usd=dollars.get("volume_24h"),
                volume_24h_aud=australian.get("volume_24h"),
                change_percentage_24h=dollars.get("percent_change_24h"),
                market_cap_usd=dollars.get("market_cap"),
                market_cap_aud=australian.get("market_cap"),
            )
        )
    return raw_quotes


def _largest(data: Any, ignored: Counter[str]) -> dict[str, dict[str, Any]]:
    found = {}
    for symbol, rows in data.items() if isinstance(data, dict) else ():
        candidates = [row for row in (rows if isinstance(rows, list) else [rows]) if isinstance(row, dict)]
        if candidates:
            found[symbol.upper()] = min(candidates, key=_rank)
        elif rows != []:
            ignored[Reason.MALFORMED.value] += 1
    return found


def _rank(row: Mapping[str, Any]) -> int:
    rank = row.get("cmc_rank")
    return rank if type(rank) is int and rank > 0 else _UNRANKED


def _quote(row: Mapping[str, Any], currency: str) -> Mapping[str, Any]:
    quotes = row.get("quote")
    quote = quotes.get(currency) if isinstance(quotes, dict) else None
    return quote if isinstance(quote, dict) else {}

"""Candles for whoever calculates with them."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.domains.market.prices.model import Candle, Interval
from app.domains.market.statements import PRICES
from app.kit.db import Database


@dataclass(frozen=True)
class Candles:
    """Reads candles of the exchange that quotes a token now."""

    database: Database

    async def latest(self, symbol: str, interval: Interval, count: int) -> list[Candle]:
        """The newest candles of a symbol, oldest first. Raises Unavailable.

        The last one may still be open, but for those of a minute, which are stored when they are closed.
        """
        return (await self.latest_of([symbol], interval, count))[symbol]

    async def latest_of(self, symbols: Iterable[str], interval: Interval, count: int) -> dict[str, list[Candle]]:
        """The same for many symbols in one statement; each is in the answer, if only with an empty list."""
        found: dict[str, list[Candle]] = {symbol: [] for symbol in symbols}
        for symbol, exchange, _, *prices in await self.database.fetch(
            PRICES.latest_candles, list(found), interval, count
        ):
            found[symbol].append(Candle(symbol, exchange, interval, *prices))
        return found

"""Candles for calculations."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from app.domains.market.prices.model import Candle, Interval
from app.domains.market.prices.statements import PriceSql
from app.kit.db import Database


@dataclass(frozen=True)
class Candles:
    """Reads candles of the exchange that currently quotes a token."""

    database: Database

    async def latest(self, symbol: str, interval: Interval, count: int) -> list[Candle]:
        """Returns the newest candles of a symbol, oldest first. Raises Unavailable.

        The last one may still be open, except candles of a minute, which are stored when they are closed.
        """
        return (await self.latest_of([symbol], interval, count))[symbol]

    async def latest_of(self, symbols: Iterable[str], interval: Interval, count: int) -> dict[str, list[Candle]]:
        """Returns the same for many symbols, with one statement. A symbol without candles has an empty list."""
        found: dict[str, list[Candle]] = {symbol: [] for symbol in symbols}
        for candle in await self.database.fetch(PriceSql.latest_candles, list(found), interval, count):
            found[candle.symbol].append(msgspec.structs.replace(candle, interval=interval))
        return found

"""Storing candles and samples, and rolling up candles into longer ones."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
import structlog

from app.domains.market.prices.model import Candle, Interval, Quote
from app.domains.market.prices.rules.windows import touched
from app.domains.market.prices.statements import PriceSql
from app.kit.db import SYSTEM, Database, Tx
from app.kit.sql import columns_of

CANDLES = "candles"
PRICE_HISTORY = "price_history"
_COLUMNS = ("symbol", "exchange", "interval", "opened_at", "open", "high", "low", "close", "volume_usd")
_MONTH_AT_MOST = timedelta(days=31)

log = structlog.get_logger(__name__)

_Series = tuple[str, Interval]
"""Exchange and interval. The candles of a series are stored together."""


class Kept(NamedTuple):
    """The period in which rows can be, to be stored."""

    since: datetime
    until: datetime


class History:
    """Stores candles and samples. Storing one again replaces it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._months: dict[str, set[tuple[int, int]]] = {CANDLES: set(), PRICE_HISTORY: set()}

    async def kept_since(self, table: str = CANDLES) -> datetime:
        """Returns the first time that is kept. Older rows are not stored."""
        return (await self._kept(table)).since

    async def ingest(self, candles: Iterable[Candle]) -> int:
        """Stores candles of any symbols, exchanges and intervals in one transaction. Returns how many were stored.

        The last of several candles of one time replaces the others. Creates partitions of the past. A candle in the
        future, by the clock of the database, is not stored. Longer candles are made by `roll_up`. Pass some ten
        thousand candles at a time.
        """
        newest = {(each.symbol, each.exchange, each.interval, each.opened_at): each for each in candles}
        if not newest:
            return 0
        kept = await self.partitions_for(CANDLES, (key[3] for key in newest))
        of_series: dict[_Series, list[Candle]] = {}
        for candle in newest.values():
            if kept.since <= candle.opened_at <= kept.until:
                of_series.setdefault((candle.exchange, candle.interval), []).append(candle)
        if ahead := sum(candle.opened_at > kept.until for candle in newest.values()):
            log.warning("history.ahead", candles=ahead, latest=max(key[3] for key in newest).isoformat())

        async def work(tx: Tx) -> None:
            for exchange in sorted({exchange for exchange, _ in of_series}):
                await tx.execute(PriceSql.lock_history, exchange)
            for series, group in of_series.items():
                await _store(tx, series, group)

        await self._database.write(SYSTEM, work)
        return sum(map(len, of_series.values()))

    async def roll_up(
        self,
        symbols: Collection[str],
        exchange: str,
        since: datetime,
        until: datetime,
        *,
        source: Interval = Interval.ONE_MINUTE,
    ) -> None:
        """Makes the longer candles that contain candles from `since` until before `until`, each from the next shorter
        interval. It can be repeated: an open candle is made from what there is, and again when there is more.

        `source` is the interval that was stored; only longer ones are made. Where there is no shorter candle, the
        stored longer one stays.
        """
        longer = [each for each in Interval if each.length > source.length]

        async def work(tx: Tx) -> None:
            await tx.execute(PriceSql.lock_history, exchange)
            shorter = source
            for interval in longer:
                first, end = touched(since, until, interval.length)
                await tx.execute(
                    PriceSql.roll_up_candles, sorted(symbols), exchange, shorter, interval, interval.length, first, end
                )
                shorter = interval

        if longer and symbols and since < until:
            await self._database.write(SYSTEM, work)

    async def sample(self, exchange: str, quotes: Sequence[Quote]) -> None:
        """Stores quotes as samples."""
        if not quotes:
            return
        await self.partitions_for(PRICE_HISTORY, (each.at for each in quotes))
        columns = (
            [each.price_usd for each in quotes],
            [each.price_aud for each in quotes],
            [each.volume_24h_usd for each in quotes],
            [each.at for each in quotes],
        )
        symbols = [each.symbol for each in quotes]
        await self._database.write(SYSTEM, lambda tx: tx.execute(PriceSql.put_prices, symbols, exchange, *columns))

    async def partitions_for(self, table: str, moments: Iterable[datetime]) -> Kept:
        """Creates the partitions for these times, as far as they are kept. Returns the period that is kept."""
        kept = await self._kept(table)
        made = self._months[table]
        firsts = {(at.year, at.month): at for at in moments if kept.since <= at <= kept.until}
        missing = sorted(firsts[month] for month in firsts.keys() - made)
        if missing:
            for span_start, span_end in _spans(missing):
                await self._database.write(
                    SYSTEM,
                    lambda tx, since=span_start, until=span_end: tx.fetch(  # type: ignore[misc]  # bound per turn
                        PriceSql.make_partitions, table, since, until
                    ),
                )
            made |= firsts.keys()
        return kept

    async def _kept(self, table: str) -> Kept:
        [(since, until)] = await self._database.fetch(PriceSql.history_kept, table)
        return Kept(since, until)


def _spans(moments: Sequence[datetime]) -> Iterable[tuple[datetime, datetime]]:
    """Splits sorted times into spans, so that no span contains a month without any."""
    first = last = moments[0]
    for moment in moments[1:]:
        if moment - last > 2 * _MONTH_AT_MOST:
            yield first, last
            first = moment
        last = moment
    yield first, last


async def _store(tx: Tx, series: _Series, candles: list[Candle]) -> None:
    """Uses COPY if none of the candles is stored yet. Nobody can store one meanwhile: the exchange is locked."""
    exchange, interval = series
    spans: dict[str, tuple[datetime, datetime]] = {}
    for candle in candles:
        first, last = spans.get(candle.symbol, (candle.opened_at, candle.opened_at))
        spans[candle.symbol] = min(first, candle.opened_at), max(last, candle.opened_at)
    firsts, lasts = zip(*spans.values(), strict=True)
    rows = [msgspec.structs.astuple(each) for each in candles]
    [exist] = await tx.fetch(PriceSql.candles_exist, list(spans), exchange, interval, firsts, lasts)
    if exist:
        await tx.execute(PriceSql.put_candles, *columns_of(rows))
    else:
        await tx.copy(CANDLES, _COLUMNS, rows)

"""Stores ticks and minutes. The quotes of a tick are stored in one transaction with the alerts that they fire."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, TypeAlias

import structlog

from app.domains.market.prices.model import Candle, Day, Interval, Move, Quote
from app.domains.market.prices.services.candles import Candles
from app.domains.market.prices.services.history import History
from app.domains.market.prices.services.ticker import AHEAD, Minute, Ticker
from app.domains.market.prices.statements import PriceSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import Unavailable
from app.kit.sql import columns_of

OnMoves: TypeAlias = Callable[[Tx, str, Sequence[Move]], Awaitable[None]]
"""Called in the transaction of a tick with the exchange and the stored prices: no move is lost or seen twice."""

AfterMinute: TypeAlias = Callable[[datetime], Awaitable[None]]
"""Called with the end of a minute when its candles are stored and rolled up. It may be called twice."""

DAY = timedelta(hours=24)
ATTEMPTS: Final = 3
"""A minute that cannot be stored although the database is available must not block those after it."""

log = structlog.get_logger(__name__)


class Recorder:
    """Stores what a ticker has for the database."""

    def __init__(
        self, database: Database, clock: Clock, on_moves: Sequence[OnMoves], after_minute: Sequence[AfterMinute]
    ) -> None:
        self._database = database
        self._clock = clock
        self._on_moves = on_moves
        self._after_minute = after_minute
        self._candles = Candles(database)
        self._history = History(database)
        self._failures = 0

    async def record(self, ticker: Ticker) -> None:
        """Stores what is due. What could not be stored stays due. Raises Unavailable."""
        try:
            await self._record_quotes(ticker)
        except Unavailable:
            raise
        except Exception:
            # The candles do not wait for a tick that cannot be stored.
            await self._record_minutes(ticker)
            raise
        await self._record_minutes(ticker)

    async def symbols(self, limit: int) -> list[str]:
        """Returns the symbols of the listed tokens, largest first. Raises Unavailable."""
        return await self._database.fetch(PriceSql.quoted_symbols, limit)

    async def open_candles(self, symbols: Sequence[str], source: str) -> list[Candle]:
        """Returns the newest stored candle of each token and interval, with which a new feed continues."""
        found: list[Candle] = []
        for interval in Interval:
            for candles in (await self._candles.latest_of(symbols, interval, 1)).values():
                found += [each for each in candles if each.exchange == source]
        return found

    async def days(self, symbols: Sequence[str], source: str) -> dict[str, Day]:
        """Returns the last 24 hours of each token according to our own candles."""
        rows = await self._database.fetch(PriceSql.day_of_candles, symbols, source, self._clock.now() - DAY)
        return {day.symbol: day for day in rows}

    async def _record_quotes(self, ticker: Ticker) -> None:
        quotes, ticker.due = ticker.due, {}
        if not quotes:
            return
        try:
            await self._database.write(SYSTEM, lambda tx: self._store(tx, ticker.source, list(quotes.values())))
        except BaseException:
            # Quotes that arrived meanwhile are newer.
            ticker.due = quotes | ticker.due
            raise

    async def _store(self, tx: Tx, source: str, quotes: list[Quote]) -> None:
        stored = await tx.fetch(PriceSql.lock_quotes, source, [each.symbol for each in quotes])
        before = {each.symbol: each.price_usd for each in stored}
        latest = self._clock.now() + AHEAD
        if ahead := [each.symbol for each in stored if each.last_updated > latest]:
            await tx.execute(PriceSql.expire_quotes, source, ahead)
        rows = [(each.symbol, each.at, *_columns(each)) for each in quotes]
        written = await tx.fetch(PriceSql.put_quotes, source, *columns_of(rows))
        moves = [Move(symbol, before.get(symbol), price) for symbol, price in written]
        for act in self._on_moves:
            await act(tx, source, moves)

    async def _record_minutes(self, ticker: Ticker) -> None:
        ended_at: datetime | None = None
        while ticker.minutes:
            minute = ticker.minutes[0]
            try:
                await self._record_minute(ticker.source, minute)
            except Unavailable:
                raise
            except Exception:
                self._failures += 1
                if self._failures < ATTEMPTS:
                    raise
                log.exception("feed.minute_skipped", ended_at=minute.ended_at.isoformat())
            self._failures = 0
            # The oldest may have been dropped while it was being stored.
            if ticker.minutes and ticker.minutes[0] is minute:
                ticker.minutes.popleft()
            ended_at = minute.ended_at
        if ended_at is None:
            return
        for act in self._after_minute:
            try:
                await act(ended_at)
            except Unavailable:
                raise
            except Exception:
                log.exception("feed.after_minute_failed")

    async def _record_minute(self, source: str, minute: Minute) -> None:
        await self._history.ingest(minute.candles)
        since = min(each.opened_at for each in minute.candles)
        await self._history.roll_up([each.symbol for each in minute.candles], source, since, minute.ended_at)
        await self._history.sample(source, minute.quotes)


def _columns(quote: Quote) -> tuple[Decimal | None, ...]:
    """The parameters of `put_quotes`."""
    return (
        quote.price_usd,
        quote.price_aud,
        quote.volume_24h_usd,
        quote.volume_24h_aud,
        quote.change_24h,
        quote.change_percentage_24h,
        quote.market_cap_usd,
        quote.market_cap_aud,
        quote.high_24h,
        quote.low_24h,
    )

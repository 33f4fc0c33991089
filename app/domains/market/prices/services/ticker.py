"""The state of the market in the process that feeds it: the newest quotes, and the open candles."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec
import structlog

from app.domains.market.prices.model import (
    MARKET,
    PRICES_TOPIC,
    Bar,
    Bars,
    Board,
    Candle,
    Day,
    Interval,
    Quote,
    Tick,
    TickQuote,
)
from app.domains.market.prices.rules.candles import CandleBuilder, Traded, traded_in
from app.domains.market.prices.rules.quotes import completed
from app.domains.market.prices.rules.windows import begin_of
from app.kit.clock import Clock
from app.kit.volatile import VolatileTopics

AHEAD: Final = timedelta(minutes=10)
"""A quote that is further ahead is of a wrong clock, and counts as older than any. This is more than the clocks of two
workers differ by: otherwise each would treat the quotes of the other as wrong, and find false crossings."""

MINUTES_KEPT: Final = 360
"""The number of minutes that are kept during an outage of the database; then the oldest are dropped."""

log = structlog.get_logger(__name__)


class Minute(msgspec.Struct, frozen=True):
    """A minute that has ended and must be stored."""

    ended_at: datetime
    candles: list[Candle]
    quotes: list[Quote]


class Ticker:
    """Receives quotes, publishes them, and keeps what must still be stored."""

    def __init__(self, source: str, clock: Clock, volatile: VolatileTopics, *, every_s: float) -> None:
        self.source = source
        self.due: dict[str, Quote] = {}
        """The newest quote of each token whose stored quote is older."""
        self.minutes: deque[Minute] = deque(maxlen=MINUTES_KEPT)
        """The minutes that have ended and are not stored yet, oldest first."""
        self._clock = clock
        self._volatile = volatile
        self._every_s = every_s
        self._days: Mapping[str, Day] = {}
        self._quotes: dict[str, Quote] = {}
        self._builder = CandleBuilder()
        self._ticked_at: datetime | None = None

    async def restore(self, stored: Iterable[Candle]) -> None:
        """Continues with the quotes and candles that the feed before left in Redis, or with `stored` candles."""
        now = self._clock.now()
        self._quotes = _quotes(await self._volatile.latest(PRICES_TOPIC), self.source, now)
        for interval in Interval:
            known = _bars(await self._volatile.latest(interval.topic), self.source, now)
            for symbol, bars in known.items():
                self._builder.restore(interval, symbol, bars)
            if interval is Interval.ONE_MINUTE:
                # They may have been closed by a worker that died before it stored them.
                self._end([(symbol, bars.closed) for symbol, bars in known.items() if bars.closed is not None])
        for candle in stored:
            is_open = candle.opened_at == begin_of(now, candle.interval.length)
            if is_open and not self._builder.is_open(candle.interval, candle.symbol):
                self._builder.restore(candle.interval, candle.symbol, Bars(_bar(candle), None))
        self.advance()

    def follow(self, symbols: Collection[str], days: Mapping[str, Day]) -> None:
        """Sets the listed tokens: others are no longer published. `days` complete the quotes of the provider."""
        self._days = days
        listed = frozenset(symbols)
        self._quotes = {symbol: quote for symbol, quote in self._quotes.items() if symbol in listed}

    def take(self, quotes: Iterable[Quote]) -> None:
        """Takes an answer of the provider as a tick. A quote that is not newer than the one before is not stored."""
        now = self._clock.now()
        elapsed_s = self._elapsed_s(now)
        # Before the quotes change: the samples of a minute are the quotes at its end.
        self._end(self._builder.advance(now))
        ticked: list[Quote] = []
        for quote in quotes:
            whole = completed(quote, self._days.get(quote.symbol))
            before = self._quotes.get(quote.symbol)
            if before is None or before.at < whole.at or before.at > now + AHEAD:
                self._quotes[quote.symbol] = self.due[quote.symbol] = whole
            ticked.append(self._quotes[quote.symbol])
        self._builder.add(
            Traded(each.symbol, each.price_usd, traded_in(each.volume_24h_usd, elapsed_s)) for each in ticked
        )
        self._ticked_at = now
        self._publish(now)

    def advance(self) -> bool:
        """Closes the candles whose time has passed, without waiting for a tick. Returns whether there were any."""
        ended = self._builder.advance(self._clock.now())
        self._end(ended)
        return bool(ended)

    def _elapsed_s(self, now: datetime) -> float:
        # After a pause, it is not known what was traded in it.
        if self._ticked_at is None:
            return self._every_s
        return min(max(0.0, (now - self._ticked_at).total_seconds()), 2 * self._every_s)

    def _end(self, bars: list[tuple[str, Bar]]) -> None:
        if not bars:
            return
        if len(self.minutes) == MINUTES_KEPT:
            log.error("feed.minute_lost", ended_at=self.minutes[0].ended_at.isoformat())
        candles = [
            Candle(symbol, self.source, Interval.ONE_MINUTE, *msgspec.structs.astuple(bar)) for symbol, bar in bars
        ]
        ended_at = max(each.opened_at for each in candles) + timedelta(minutes=1)
        # A minute that another worker closed may have ended before the newest quotes.
        quotes = [each for each in self._quotes.values() if each.at < ended_at]
        self.minutes.append(Minute(ended_at, candles, quotes))

    def _publish(self, now: datetime) -> None:
        quotes = {
            symbol: TickQuote(
                symbol, each.price_usd, each.price_aud, each.change_percentage_24h, each.volume_24h_usd, each.at
            )
            for symbol, each in self._quotes.items()
        }
        self._volatile.publish_soon(PRICES_TOPIC, MARKET, Tick(self.source, now, quotes))
        for interval in Interval:
            self._volatile.publish_soon(interval.topic, MARKET, Board(self.source, self._builder.bars(interval)))


def _quotes(latest: object, source: str, now: datetime) -> dict[str, Quote]:
    try:
        tick = msgspec.convert(latest, dict[str, Tick]).get(MARKET)
    except msgspec.ValidationError as error:
        log.warning("feed.quotes_read_failed", error=str(error))
        return {}
    if tick is None or tick.source != source:
        return {}
    return {
        symbol: Quote(
            symbol,
            each.at,
            each.price_usd,
            each.price_aud,
            volume_24h_usd=each.volume_24h_usd,
            change_percentage_24h=each.change_percentage_24h,
        )
        for symbol, each in tick.quotes.items()
        if each.at <= now
    }


def _bars(latest: object, source: str, now: datetime) -> dict[str, Bars]:
    try:
        board = msgspec.convert(latest, dict[str, Board]).get(MARKET)
    except msgspec.ValidationError as error:
        # Redis does not answer, or has the format of another release.
        log.warning("feed.candles_read_failed", error=str(error))
        return {}
    if board is None or board.source != source:
        return {}
    # A clock that was ahead must not keep candles open until then.
    return {symbol: Bars(_begun(bars.open, now), _begun(bars.closed, now)) for symbol, bars in board.bars.items()}


def _begun(bar: Bar | None, now: datetime) -> Bar | None:
    return bar if bar is not None and bar.opened_at <= now else None


def _bar(candle: Candle) -> Bar:
    return Bar(candle.opened_at, candle.open, candle.high, candle.low, candle.close, candle.volume_usd)

"""Building candles from ticks."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import msgspec

from app.domains.market.prices.model import Bar, Bars, Interval
from app.domains.market.prices.rules.windows import begin_of

_CENT = Decimal("0.01")
_DAY_S = 86400


class Traded(msgspec.Struct, frozen=True):
    """The price of a token at a tick, and the volume in dollars since the tick before."""

    symbol: str
    price: Decimal
    volume_usd: Decimal


def traded_in(volume_24h_usd: Decimal | None, elapsed_s: float) -> Decimal:
    """Returns the volume in a number of seconds, from the volume of 24 hours: providers report no other."""
    if volume_24h_usd is None:
        return Decimal(0)
    return (volume_24h_usd * Decimal(elapsed_s) / _DAY_S).quantize(_CENT)


class CandleBuilder:
    """Builds the candles of all intervals. The candles of an interval begin and end together for all tokens."""

    def __init__(self) -> None:
        self._open: dict[Interval, dict[str, Bar]] = {interval: {} for interval in Interval}
        self._closed: dict[Interval, dict[str, Bar]] = {interval: {} for interval in Interval}
        self._begins: dict[Interval, datetime] = {}

    def restore(self, interval: Interval, symbol: str, bars: Bars) -> None:
        """Continues with earlier candles. The next `advance` closes an open candle whose time has passed."""
        if bars.open is not None:
            self._open[interval][symbol] = bars.open
        if bars.closed is not None:
            self._closed[interval][symbol] = bars.closed

    def advance(self, at: datetime) -> list[tuple[str, Bar]]:
        """Closes the candles whose time has passed. Returns those of a minute.

        A clock that goes back by less than a candle closes nothing. If it goes back by more, it was wrong before: the
        open candles are dropped, and candles of the present begin.
        """
        minutes: list[tuple[str, Bar]] = []
        for interval in Interval:
            begin, before = begin_of(at, interval.length), self._begins.get(interval)
            if before is not None and before - interval.length <= begin <= before:
                continue
            self._begins[interval] = begin
            self._open[interval] = {
                symbol: bar for symbol, bar in self._open[interval].items() if bar.opened_at <= begin
            }
            ended = [(symbol, bar) for symbol, bar in self._open[interval].items() if bar.opened_at < begin]
            for symbol, bar in ended:
                del self._open[interval][symbol]
                self._closed[interval][symbol] = bar
            if interval is Interval.ONE_MINUTE:
                minutes = ended
        return minutes

    def add(self, traded: Iterable[Traded]) -> None:
        """Adds a tick, at the time of the last `advance`, to the open candles of all intervals."""
        ticks = list(traded)
        for interval, bars in self._open.items():
            begin = self._begins[interval]
            for tick in ticks:
                bars[tick.symbol] = _with(bars.get(tick.symbol), begin, tick.price, tick.volume_usd)

    def is_open(self, interval: Interval, symbol: str) -> bool:
        """Whether a token has an open candle."""
        return symbol in self._open[interval]

    def bars(self, interval: Interval) -> dict[str, Bars]:
        """Returns the open and the last closed candle of each token that has one."""
        opened, closed = self._open[interval], self._closed[interval]
        return {symbol: Bars(opened.get(symbol), closed.get(symbol)) for symbol in opened.keys() | closed.keys()}


def _with(bar: Bar | None, begin: datetime, price: Decimal, volume_usd: Decimal) -> Bar:
    if bar is None:
        return Bar(begin, price, price, price, price, volume_usd)
    high = price if price > bar.high else bar.high
    low = price if price < bar.low else bar.low
    return Bar(bar.opened_at, bar.open, high, low, price, bar.volume_usd + volume_usd)

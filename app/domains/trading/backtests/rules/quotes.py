"""What the house is given to quote by within each candle: as ticks give it, without looking ahead. Pure."""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from decimal import Context, Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from app.domains.market.prices.model import Candle
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE, ms_of, units_of

DAY_MS: Final = 86_400_000
_EXACT: Final = Context(prec=28)
_PARKINSON: Final = _EXACT.multiply(Decimal(2), _EXACT.sqrt(_EXACT.ln(Decimal(2))))
_NEAR: Final = COIN / float(_PARKINSON)
_UNSURE: Final = 1e-4
"""So near to the middle between two units the logarithm of a float, which is much faster, does not say which it is. It
is wrong by less than a hundredth of that.
"""
_MOST: Final = 100 * COIN


class Bar(NamedTuple):
    """A candle in whole numbers, and what the market did in the 24 hours before it."""

    opened_at: int
    """In milliseconds since 1970."""
    open: int
    high: int
    low: int
    close: int
    volume: int
    """Dollars traded in the 24 hours before, in units."""
    highest: int
    """Of the 24 hours before; 0 where there is none."""
    lowest: int

    @property
    def volatility(self) -> int:
        """Parkinson's of the 24 hours before, in units: from their highest and lowest price."""
        return volatility_of(self.highest, self.lowest)


def bars_of(candles: Sequence[Candle]) -> list[Bar]:
    """The bars of candles of one interval, oldest first. Volume and volatility are those of the candles that had ended
    when each began, and 0 where none had.
    """
    if not candles:
        return []
    length = round(candles[0].interval.length.total_seconds() * 1000)
    bars = list[Bar]()
    volume, closed = 0, 0
    volumes = [int(candle.volume_usd * COIN) for candle in candles]
    times = [ms_of(candle.opened_at) for candle in candles]
    highs, lows = _Extremes(), _Extremes()
    oldest = 0
    for number, candle in enumerate(candles):
        while closed < number and times[closed] + length <= times[number]:
            volume += volumes[closed]
            highs.add(closed, -units_of(candles[closed].high, PRICE_SCALE))
            lows.add(closed, units_of(candles[closed].low, PRICE_SCALE))
            closed += 1
        while oldest < closed and times[oldest] + length <= times[number] - DAY_MS:
            volume -= volumes[oldest]
            oldest += 1
        high, low = highs.first(oldest), lows.first(oldest)
        bars.append(
            Bar(
                opened_at=times[number],
                open=units_of(candle.open, PRICE_SCALE),
                high=units_of(candle.high, PRICE_SCALE),
                low=units_of(candle.low, PRICE_SCALE),
                close=units_of(candle.close, PRICE_SCALE),
                volume=volume,
                highest=0 if high is None else -high,
                lowest=low or 0,
            )
        )
    return bars


@lru_cache(maxsize=1_000)
def volatility_of(high: int, low: int) -> int:
    """Parkinson's volatility of a day with this highest and lowest price, as `note_prices` computes it."""
    if low <= 0 or high <= low:
        return 0
    near = math.log(high / low) * _NEAR
    if abs(near % 1 - 0.5) > _UNSURE:
        return min(_MOST, round(near))
    log = _EXACT.ln(_EXACT.divide(Decimal(high), Decimal(low)))
    return min(_MOST, round(_EXACT.divide(log, _PARKINSON) * COIN))


class _Extremes:
    """The least of the values from a position on, of values that are added one after the other."""

    def __init__(self) -> None:
        self._rising = deque[tuple[int, int]]()

    def add(self, position: int, value: int) -> None:
        while self._rising and self._rising[-1][1] >= value:
            self._rising.pop()
        self._rising.append((position, value))

    def first(self, since: int) -> int | None:
        while self._rising and self._rising[0][0] < since:
            self._rising.popleft()
        return self._rising[0][1] if self._rising else None


def path_of(bar: Bar, length_ms: int) -> Iterator[tuple[int, int]]:
    """The prices within a candle after its open, each with its time: lowest, highest, close.

    The extreme against the position comes first, and a position is never short.
    """
    yield bar.opened_at + length_ms // 3, bar.low
    yield bar.opened_at + length_ms * 2 // 3, bar.high
    yield bar.opened_at + length_ms - 1, bar.close

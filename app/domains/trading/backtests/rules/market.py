"""The candles of a run, prepared once for any number of runs over them. Pure."""

from collections.abc import Sequence
from typing import Final

from app.domains.market.analysis.rules.series import Series, series_of
from app.domains.market.prices.model import Candle
from app.domains.trading.backtests.model import CandlesMissing
from app.domains.trading.backtests.rules.quotes import bars_of
from app.domains.trading.quantities.rules import moment_of
from app.domains.trading.strategies.model import WINDOW_CANDLES, Window
from app.domains.trading.strategies.rules.second_exchange import elsewhere


class Market:
    """Candles of one token and one interval, oldest first. Raises CandlesMissing, MalformedSeries.

    `has_second` is whether they are of the simulated market, which has a second exchange.
    """

    def __init__(self, candles: Sequence[Candle], *, has_second: bool = False) -> None:
        if not candles:
            raise CandlesMissing
        self.symbol: Final = candles[0].symbol
        self.interval: Final = candles[0].interval
        self.length_ms: Final = round(self.interval.length.total_seconds() * 1000)
        self.bars: Final = bars_of(candles)
        self._series = series_of(candles)
        self._closes = [each.close for each in candles]
        self._has_second = has_second

    def __len__(self) -> int:
        return len(self.bars)

    def window(self, number: int, *, with_second: bool) -> Window:
        """What is seen at the end of a candle."""
        series = _part(self._series, max(0, number + 1 - WINDOW_CANDLES), number + 1)
        return Window(
            symbol=self.symbol,
            interval=self.interval,
            series=series,
            closed_at=moment_of(self.bars[number].opened_at + self.length_ms),
            price=self._closes[number],
            elsewhere=elsewhere(self.symbol, series) if with_second and self._has_second else None,
        )

    def missing(self, first: int, end: int) -> int:
        """How many candles are missing between one number and before another."""
        whole = (self.bars[end - 1].opened_at - self.bars[first].opened_at) // self.length_ms + 1
        return whole - (end - first)


def _part(series: Series, begin: int, end: int) -> Series:
    return Series(
        series.interval,
        series.times[begin:end],
        series.open[begin:end],
        series.high[begin:end],
        series.low[begin:end],
        series.close[begin:end],
        series.volume[begin:end],
    )

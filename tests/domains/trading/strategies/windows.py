"""Windows and entries for the tests of strategies."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from app.domains.market.analysis.rules.series import Series
from app.domains.market.prices.model import Interval
from app.domains.trading.quantities.rules import PRICE_SCALE, decimal_of
from app.domains.trading.strategies.model import Entry, ExchangePrice, Window
from tests.domains.market.series import BEGIN_S, flat_candles

BEGIN = datetime.fromtimestamp(BEGIN_S, UTC)
HOUR = timedelta(hours=1)
HELD = (Entry(Decimal(2), Decimal(100), BEGIN),)
"""What a bot holds that bought once."""


def window(series: Series | ArrayLike, elsewhere: ExchangePrice | None = None) -> Window:
    """The window of candles, or of candles that open and close at these prices."""
    candles = series if isinstance(series, Series) else flat_candles(series)
    assert candles.interval is not None
    closed_at = datetime.fromtimestamp(int(candles.times[-1]), UTC) + candles.interval.length
    # The close as its column has it.
    price = decimal_of(round(Fraction(float(candles.close[-1])) * PRICE_SCALE), PRICE_SCALE)
    return Window("BTC", candles.interval, candles, closed_at, price, elsewhere)


def priced(price: Decimal | int | str, at: datetime = BEGIN) -> Window:
    """A window that ends at a time, of one candle with this price."""
    value = Decimal(price)
    return msgspec.structs.replace(window([float(value)]), price=value, closed_at=at)


def with_volumes(series: Series, volumes: ArrayLike) -> Series:
    """The same prices with other volumes."""
    prices = series.times, series.open, series.high, series.low, series.close
    return Series(series.interval, *prices, np.asarray(volumes, dtype=np.float64))


def ohlc(candles: Sequence[tuple[float, float, float, float]]) -> Series:
    """Hourly candles of open, high, low and close."""
    opened, high, low, close = np.array(candles, dtype=np.float64).T.copy()
    times = BEGIN_S + 3600 * np.arange(len(candles), dtype=np.int64)
    return Series(Interval.ONE_HOUR, times, opened, high, low, close, np.ones(len(candles)))

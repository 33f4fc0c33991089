from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import numpy as np
import pytest

from app.domains.market.analysis.rules.series import MalformedSeries, series_of
from app.domains.market.prices.model import Candle, Interval
from tests.domains.market.series import flat_candles

MIDNIGHT = datetime(2026, 11, 1, tzinfo=UTC)
replace = msgspec.structs.replace


def candle(index: int, **change: object) -> Candle:
    made = Candle(
        symbol="BTC",
        exchange="simulated",
        interval=Interval.ONE_HOUR,
        opened_at=MIDNIGHT + timedelta(hours=index),
        open=Decimal("100.5"),
        high=Decimal(110 + index),
        low=Decimal("0.000000000001"),
        close=Decimal("101.25"),
        volume_usd=Decimal("12.34"),
    )
    return replace(made, **change)


def test_candles_are_sorted_and_every_column_is_in_its_place() -> None:
    series = series_of([candle(2), candle(0), candle(1)])
    assert (len(series), series.interval, series.step_s, series.missing) == (3, Interval.ONE_HOUR, 3600, 0)
    assert series.times.tolist() == [int(MIDNIGHT.timestamp()) + 3600 * index for index in range(3)]
    assert series.open.tolist() == [100.5] * 3
    assert series.high.tolist() == [110.0, 111.0, 112.0]
    assert series.low.tolist() == [1e-12] * 3
    assert series.close.tolist() == [101.25] * 3
    assert series.volume.tolist() == [12.34] * 3


def test_no_candles_are_a_series_too() -> None:
    series = series_of([])
    assert (len(series), series.interval, series.step_s, series.missing) == (0, None, 0, 0)
    assert series.log_returns().tolist() == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"symbol": "ETH"}, "several tokens"),
        ({"interval": Interval.ONE_DAY}, "several tokens or intervals"),
        ({"opened_at": MIDNIGHT}, "same time"),
        ({"close": Decimal("NaN")}, "price"),
        ({"open": Decimal("sNaN")}, None),
        ({"high": Decimal("Infinity")}, "price"),
        ({"low": Decimal(0)}, "price"),
        ({"low": Decimal(-1)}, "price"),
        ({"low": Decimal("1E-13")}, "price"),
        ({"high": Decimal("1E+12")}, "price"),
        ({"volume_usd": Decimal("NaN")}, "volume"),
        ({"volume_usd": Decimal("-0.01")}, "volume"),
        ({"high": Decimal(101)}, "inside open and close"),
        ({"low": Decimal("100.6")}, "inside open and close"),
    ],
)
def test_what_is_no_series_is_refused(change: dict[str, object], reason: str | None) -> None:
    series_of([candle(0), candle(1)])
    with pytest.raises(MalformedSeries if reason else ValueError, match=reason):
        series_of([candle(0), candle(1, **change)])


def test_a_gap_is_counted_and_no_return_is_taken_over_it() -> None:
    series = flat_candles([1.0, 2.0, 8.0, 8.0, 4.0], missing=[2])
    assert series.missing == 1
    doubled = float(np.log(2))
    assert series.log_returns()[:1].tolist() == [doubled]
    assert np.isnan(series.log_returns()[1])
    assert series.log_returns()[2] == pytest.approx(-doubled)
    assert np.isnan(series.log_returns()[3])


def test_a_return_over_several_candles_is_of_the_time_that_it_names() -> None:
    series = flat_candles([1.0, 2.0, 8.0, 8.0, 4.0], missing=[2])
    over_three = series.log_returns(3)
    assert over_three[:2].tolist() == pytest.approx([np.log(8), np.log(2)])
    assert np.isnan(over_three[2:]).all()

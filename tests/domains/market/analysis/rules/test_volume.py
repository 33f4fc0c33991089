import numpy as np
import pytest

from app.domains.market.analysis.rules.series import Series
from app.domains.market.analysis.rules.volume import spike
from app.domains.market.prices.model import Interval
from tests.domains.market.series import flat_candles, head


def traded(volumes: list[float], interval: Interval = Interval.ONE_HOUR, missing: list[int] | None = None) -> Series:
    at = flat_candles(np.ones(len(volumes)), interval, missing or [])
    kept = [volume for index, volume in enumerate(volumes) if index not in (missing or [])]
    return Series(at.interval, at.times, at.open, at.high, at.low, at.close, np.array(kept))


def test_volume_is_measured_against_the_24_hours_before_the_window() -> None:
    assert spike(traded([10.0] * 24 + [10.0]), 1) == pytest.approx(1)
    assert spike(traded([10.0] * 24 + [55.0]), 1) == pytest.approx(5.5)
    assert spike(traded([10.0] * 24 + [55.0, 5.0]), 2) == pytest.approx(3)
    assert spike(traded([1e9] * 5 + [10.0] * 24 + [55.0]), 1) == pytest.approx(5.5), "what is older does not count"
    assert spike(traded([1.0] * 1440 + [4.0] * 5, Interval.ONE_MINUTE), 5) == pytest.approx(4)


def test_a_missing_candle_is_time_without_volume() -> None:
    assert spike(traded([10.0] * 24 + [10.0], missing=[3, 4, 5, 6, 7, 8]), 1) == pytest.approx(24 / 18)


def test_too_little_history_or_no_trade_is_not_told() -> None:
    full = traded([10.0] * 25)
    assert spike(full, 1) is not None
    assert spike(head(full, 24), 1) is None
    assert spike(full, 2) is None
    assert spike(head(full, 0), 1) is None
    assert spike(traded([0.0] * 24 + [10.0]), 1) is None
    assert spike(traded([10.0] * 24 + [0.0]), 1) == 0


@pytest.mark.parametrize("window", [0, -1, 25])
def test_a_window_that_is_none_is_refused(window: int) -> None:
    with pytest.raises(ValueError, match="window"):
        spike(traded([10.0] * 60), window)

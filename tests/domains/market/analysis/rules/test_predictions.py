"""Predictions: the model by hand, its back-test by hand, and whether its coverage is what it claims."""

import math
from decimal import Decimal

import msgspec
import numpy as np
import pytest
from hypothesis import given

from app.domains.market.analysis.model.predictions import Calibration, Horizon, Obstacle, Prediction, PredictionFindings
from app.domains.market.analysis.rules.dollars import dollars, moment
from app.domains.market.analysis.rules.predictions import (
    PROBABILITIES,
    calibration_of,
    candles_needed,
    half_life_candles,
    predictions,
)
from app.domains.market.analysis.rules.series import Floats, Series
from app.domains.market.prices.model import Interval
from tests.domains.market.series import flat_candles, head, numbers_in, scaled, series, walk

NORMAL = (0.6744897501960817, 1.2815515655446004, 1.959963984540054)


def by_horizon(prices: Series) -> dict[Horizon, Prediction]:
    return {prediction.horizon: prediction for prediction in predictions(prices).predictions}


def interval_at(close: Floats, now: int, steps: int) -> list[float] | None:
    """Half the width of each interval in log price at candle `now`, by definition; None before the model is warm."""
    returns = np.diff(np.log(close))

    def deviation(at: int) -> float:
        weights = 0.5 ** (np.arange(at)[::-1] / max(24, steps))
        return math.sqrt(float(np.average(returns[:at] ** 2, weights=weights)))

    residuals = sorted(abs(returns[at]) / deviation(at) for at in range(30, now))
    if len(residuals) < 100:
        return None
    widths = []
    for probability, normal in zip(PROBABILITIES, NORMAL, strict=True):
        one_step = residuals[math.ceil(probability * (len(residuals) + 1)) - 1]
        widths.append((normal + (one_step - normal) / steps) * deviation(now) * math.sqrt(steps))
    return widths


@pytest.mark.parametrize(("horizon", "steps"), [(Horizon.ONE_HOUR, 1), (Horizon.ONE_DAY, 24)])
def test_intervals_and_coverage_are_what_the_model_says(horizon: Horizon, steps: int) -> None:
    prices = walk(230, seed=3)
    close = prices.close
    found = by_horizon(prices)[horizon]
    widths = interval_at(close, 229, steps)
    assert widths is not None
    assert [interval.probability for interval in found.intervals] == [0.5, 0.8, 0.95]
    for interval, width in zip(found.intervals, widths, strict=True):
        assert float(interval.low) == pytest.approx(close[-1] * math.exp(-width), rel=1e-9)
        assert float(interval.high) == pytest.approx(close[-1] * math.exp(width), rel=1e-9)
    judged = []
    for origin in range(230 - steps):
        known = interval_at(close[: origin + 1], origin, steps)
        if known:
            strayed = abs(math.log(close[origin + steps] / close[origin]))
            judged.append([strayed <= width for width in known])
    assert found.forecasts == len(judged) == 230 - steps - 130
    assert found.independent_forecasts == len(judged) // steps
    assert [interval.coverage for interval in found.intervals] == np.mean(judged, axis=0).tolist()


def test_the_median_is_the_last_close_and_the_moment_counts_from_its_end() -> None:
    prices = walk(400)
    findings = predictions(prices)
    end_s = int(prices.times[-1]) + 3600
    assert (findings.interval, findings.candles) == (Interval.ONE_HOUR, 400)
    assert (findings.price, findings.made_at) == (dollars(float(prices.close[-1])), moment(end_s))
    found = by_horizon(prices)
    assert {prediction.median for prediction in findings.predictions} == {findings.price}
    assert [found[horizon].at for horizon in Horizon] == [
        moment(end_s + 3600),
        moment(end_s + 24 * 3600),
        moment(end_s + 7 * 24 * 3600),
    ]


def test_no_forecast_knows_the_future() -> None:
    calm = walk(500, deviation=0.001)
    crash = np.concatenate([calm.close[:-1], calm.close[-1:] / 2])
    before, after = by_horizon(flat_candles(calm.close)), by_horizon(flat_candles(crash))
    # One more candle lies outside the intervals made before it, and no interval made before it is wider for it.
    for old, new in zip(before[Horizon.ONE_HOUR].intervals, after[Horizon.ONE_HOUR].intervals, strict=True):
        count = before[Horizon.ONE_HOUR].forecasts
        assert round(old.coverage * count) - round(new.coverage * count) in {0, 1}
        assert new.high / new.low > old.high / old.low
    assert after[Horizon.ONE_HOUR].intervals[2].coverage < before[Horizon.ONE_HOUR].intervals[2].coverage


@pytest.mark.parametrize(
    ("interval", "obstacles"),
    [
        (Interval.ONE_MINUTE, [None, Obstacle.TOO_FEW_CANDLES, Obstacle.TOO_FEW_CANDLES]),
        (Interval.FIVE_MINUTES, [None, None, Obstacle.TOO_FEW_CANDLES]),
        (Interval.ONE_HOUR, [None, None, None]),
        (Interval.ONE_DAY, [Obstacle.CANDLES_TOO_LONG, None, None]),
    ],
)
def test_horizons_are_whole_numbers_of_candles(interval: Interval, obstacles: list[Obstacle | None]) -> None:
    found = by_horizon(flat_candles(walk(1000).close, interval))
    assert [found[horizon].obstacle for horizon in Horizon] == obstacles


@pytest.mark.parametrize(
    ("horizon", "steps"), [(Horizon.ONE_HOUR, 1), (Horizon.ONE_DAY, 24), (Horizon.SEVEN_DAYS, 168)]
)
def test_one_candle_too_few_predicts_nothing(horizon: Horizon, steps: int) -> None:
    needed = candles_needed(steps)
    prices = walk(needed)
    enough = by_horizon(prices)[horizon]
    assert (enough.obstacle, enough.candles_needed, enough.forecasts) == (None, needed, 30)
    assert by_horizon(head(prices, needed - 1))[horizon] == Prediction(
        horizon, Obstacle.TOO_FEW_CANDLES, needed, None, None, None, (), 0, 0, None
    )


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_candles_predict_nothing(count: int) -> None:
    findings = predictions(head(walk(2), count))
    assert {prediction.obstacle for prediction in findings.predictions} == {Obstacle.TOO_FEW_CANDLES}
    assert (findings.price is None, findings.made_at is None) == (count == 0, count == 0)


def test_a_gap_is_no_return_and_no_forecast_reaches_over_it() -> None:
    prices = walk(400)
    broken = flat_candles(prices.close, missing=[300])
    whole, gap = by_horizon(flat_candles(prices.close))[Horizon.ONE_DAY], by_horizon(broken)[Horizon.ONE_DAY]
    # Lost are the forecasts from the missing candle, and to it.
    assert whole.forecasts - gap.forecasts == 2


def test_a_price_that_stands_still_is_not_predicted() -> None:
    found = by_horizon(flat_candles(np.full(500, 5.0)))
    assert {prediction.obstacle for prediction in found.values()} == {Obstacle.STANDS_STILL}
    assert not any(prediction.intervals for prediction in found.values())


def test_a_price_that_may_be_anything_is_not_predicted() -> None:
    closes = np.where(np.arange(401) % 2, 1e-9, 1e11)
    found = by_horizon(flat_candles(closes))
    assert {prediction.obstacle for prediction in found.values()} == {Obstacle.TOO_WILD}


def test_coverage_of_brownian_motion_is_what_is_claimed() -> None:
    # Mean of 40 walks of 2,000 hours. Measured 0.501, 0.800, 0.952 for an hour and 0.498, 0.798, 0.944 for a day.
    found = [by_horizon(walk(2000, seed=seed)) for seed in range(40)]
    for horizon, tolerance in ((Horizon.ONE_HOUR, 0.01), (Horizon.ONE_DAY, 0.02)):
        coverages = np.mean([[it.coverage for it in each[horizon].intervals] for each in found], axis=0)
        assert np.abs(coverages - PROBABILITIES).max() < tolerance, (horizon, coverages)
        verdicts = [each[horizon].calibration for each in found]
        assert verdicts.count(Calibration.CALIBRATED) >= 36, (horizon, verdicts)
    weeks = [each[Horizon.SEVEN_DAYS] for each in found]
    assert {week.calibration for week in weeks} == {Calibration.UNPROVEN}
    assert {(week.forecasts, week.independent_forecasts) for week in weeks} == {(1702, 10)}


def test_fat_tails_are_covered_too() -> None:
    # Student's t with 3 degrees of freedom: its variance is finite, its kurtosis is not.
    coverages = []
    for seed in range(40):
        returns = np.random.default_rng(seed).standard_t(3, 2000) * 0.005
        found = by_horizon(flat_candles(100 * np.exp(np.cumsum(returns))))
        coverages.append([interval.coverage for interval in found[Horizon.ONE_HOUR].intervals])
    assert np.abs(np.mean(coverages, axis=0) - PROBABILITIES).max() < 0.01


def test_a_week_is_proven_by_more_candles() -> None:
    found = by_horizon(walk(4000, seed=2))[Horizon.SEVEN_DAYS]
    assert found.independent_forecasts == (4000 - 168 - 130) // 168 == 22
    assert found.calibration is not Calibration.UNPROVEN


@pytest.mark.parametrize(
    ("closes", "calibration"),
    [
        # A trend, which the model does not assume: a day goes 24 steps one way where it expects the root of 24.
        (100 * 1.001 ** np.arange(1000), Calibration.TOO_NARROW),
        # To and fro: a day ends where it began.
        (np.where(np.arange(1000) % 2, 101.0, 100.0), Calibration.TOO_WIDE),
    ],
)
def test_a_market_that_is_not_as_the_model_has_it_shows(closes: Floats, calibration: Calibration) -> None:
    assert by_horizon(flat_candles(closes))[Horizon.ONE_DAY].calibration is calibration


@pytest.mark.parametrize(
    ("coverages", "independent", "calibration"),
    [
        ((0.5, 0.8, 0.95), 19, Calibration.UNPROVEN),
        ((0.5, 0.8, 0.95), 20, Calibration.CALIBRATED),
        ((0.475, 0.825, 0.925), 10_000, Calibration.CALIBRATED),
        ((0.5, 0.8, 0.915), 10_000, Calibration.TOO_NARROW),
        ((0.5, 0.835, 0.95), 10_000, Calibration.TOO_WIDE),
        ((0.6, 0.8, 0.9), 10_000, Calibration.TOO_NARROW),
        # Two standard errors of 100 forecasts: 0.1, 0.08 and 0.0436.
        ((0.41, 0.73, 0.91), 100, Calibration.CALIBRATED),
        ((0.39, 0.8, 0.95), 100, Calibration.TOO_NARROW),
        ((0.5, 0.885, 0.95), 100, Calibration.TOO_WIDE),
    ],
)
def test_the_back_test_is_judged_by_its_standard_error(
    coverages: tuple[float, float, float], independent: int, calibration: Calibration
) -> None:
    assert calibration_of(coverages, independent) is calibration


@pytest.mark.parametrize("factor", [1e-11, 1e9])
def test_predictions_follow_the_scale_of_the_price(factor: float) -> None:
    prices = walk(400)
    for found, small in zip(
        predictions(prices).predictions, predictions(scaled(prices, factor)).predictions, strict=True
    ):
        assert (small.forecasts, small.calibration) == (found.forecasts, found.calibration)
        for interval, scaled_one in zip(found.intervals, small.intervals, strict=True):
            assert float(scaled_one.low) == pytest.approx(float(interval.low) * factor, rel=1e-6)
            assert scaled_one.coverage == interval.coverage


def test_memory_is_as_long_as_the_horizon() -> None:
    assert [half_life_candles(steps) for steps in (1, 24, 25, 168)] == [24, 24, 25, 168]


@given(series(most=420))
def test_intervals_are_finite_nested_and_survive_json(prices: Series) -> None:
    findings = predictions(prices)
    assert [prediction.horizon for prediction in findings.predictions] == list(Horizon)
    assert all(math.isfinite(number) for number in numbers_in(findings))
    assert msgspec.convert(msgspec.to_builtins(findings), PredictionFindings) == findings
    assert msgspec.json.decode(msgspec.json.encode(findings), type=PredictionFindings) == findings
    for prediction in findings.predictions:
        assert (prediction.obstacle is None) == (len(prediction.intervals) == 3) == (prediction.calibration is not None)
        inner_low = inner_high = prediction.median or Decimal(0)
        for interval in prediction.intervals:
            assert 0 <= interval.low <= inner_low <= inner_high <= interval.high < 10**12
            assert 0 <= interval.coverage <= 1
            inner_low, inner_high = interval.low, interval.high

"""Predictions: a stated model, and a back-test of that very model on the same candles.

The model predicts no direction: log returns have a drift of zero, so the median is the last close. Their deviation is
that of past returns, whose weight halves every `half_life_candles(h)`; over h candles it grows with the
square root of h. How many deviations an interval spans is the quantile of past returns over one candle, each divided by
the deviation that was known before it: tails are as fat as in the past. Over h candles sums of returns become normal,
and what the quantile exceeds the normal one by is divided by h, as the kurtosis of a sum is.

The back-test walks forward: at each past close it makes the interval from the data of that time only, and counts
whether the price was inside it h candles later. Such forecasts overlap, so that only every h-th is independent.
"""

import math
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from app.domains.market.analysis.model.predictions import (
    Calibration,
    Horizon,
    Obstacle,
    PredictedInterval,
    Prediction,
    PredictionFindings,
)
from app.domains.market.analysis.rules.dollars import dollars, moment
from app.domains.market.analysis.rules.series import Floats, Series
from app.domains.market.prices.model import PRICE_LIMIT

LENGTHS_S = {
    Horizon.ONE_HOUR: int(timedelta(hours=1).total_seconds()),
    Horizon.ONE_DAY: int(timedelta(hours=24).total_seconds()),
    Horizon.SEVEN_DAYS: int(timedelta(days=7).total_seconds()),
}

PROBABILITIES = (0.5, 0.8, 0.95)
NORMAL_QUANTILES = np.array([0.6744897501960817, 1.2815515655446004, 1.959963984540054])
"""Deviations within which a normal value lies with each of PROBABILITIES."""

SHORTEST_HALF_LIFE = 24
RETURNS_TO_WARM_UP = 30
"""The minimum number of returns for the deviation."""
RESIDUALS_NEEDED = 100
"""The minimum number of standardised returns for quantiles: five of them are outside the interval of 95%."""
FORECASTS_NEEDED = 30
INDEPENDENT_NEEDED = 20
"""The minimum number of independent forecasts for a calibration."""
TOLERANCE = 0.03
"""How far coverage may be from the probability, for any number of forecasts."""

# A smaller deviation of a candle is the rounding of floats.
_STILL = 1e-9


def predictions(series: Series) -> PredictionFindings:
    """Returns predictions for each horizon from the end of the last candle, which should be closed.

    2,000 hourly candles are enough for all three, and 3,700 for a calibration of 7 days.
    """
    count = len(series)
    return PredictionFindings(
        interval=series.interval,
        candles=count,
        price=dollars(float(series.close[-1])) if count else None,
        made_at=moment(int(series.times[-1]) + series.step_s) if count else None,
        predictions=tuple(_prediction(series, horizon) for horizon in Horizon),
    )


def half_life_candles(steps: int) -> int:
    """The number of candles in which a return loses half its weight: the horizon, as longer ones need more history."""
    return max(SHORTEST_HALF_LIFE, steps)


def candles_needed(steps: int) -> int:
    """The number of candles without a gap that a prediction this many candles ahead needs, with its back-test."""
    return RETURNS_TO_WARM_UP + RESIDUALS_NEEDED + FORECASTS_NEEDED + steps


def calibration_of(coverages: Sequence[float], independent: int) -> Calibration:
    """Returns the calibration of the coverages of PROBABILITIES.

    A coverage may be off by twice its standard error over the independent forecasts, but by TOLERANCE at least.
    """
    if independent < INDEPENDENT_NEEDED:
        return Calibration.UNPROVEN
    errors = [
        (coverage - probability) / max(TOLERANCE, 2 * math.sqrt(probability * (1 - probability) / independent))
        for probability, coverage in zip(PROBABILITIES, coverages, strict=True)
    ]
    if min(errors) < -1:
        return Calibration.TOO_NARROW
    return Calibration.TOO_WIDE if max(errors) > 1 else Calibration.CALIBRATED


def _prediction(series: Series, horizon: Horizon) -> Prediction:
    length_s = LENGTHS_S[horizon]
    if not len(series):
        return _none(horizon, Obstacle.TOO_FEW_CANDLES, None)
    if length_s % series.step_s:
        return _none(horizon, Obstacle.CANDLES_TOO_LONG, None)
    steps = length_s // series.step_s
    needed = candles_needed(steps)
    if len(series) < needed:
        return _none(horizon, Obstacle.TOO_FEW_CANDLES, needed)
    walk = _walk(series, steps)
    if walk.deviations[-1] < _STILL:
        return _none(horizon, Obstacle.STANDS_STILL, needed)
    inside = walk.inside()
    if len(inside) < FORECASTS_NEEDED:
        return _none(horizon, Obstacle.TOO_FEW_CANDLES, needed)
    price, width = float(series.close[-1]), walk.widths[-1]
    if math.log(price) + width[-1] >= math.log(PRICE_LIMIT):
        return _none(horizon, Obstacle.TOO_WILD, needed)
    coverages = [float(coverage) for coverage in inside.mean(axis=0)]
    independent = len(inside) // steps
    return Prediction(
        horizon=horizon,
        obstacle=None,
        candles_needed=needed,
        at=moment(int(series.times[-1]) + series.step_s + length_s),
        median=dollars(price),
        deviation=float(walk.deviations[-1]) * math.sqrt(steps),
        intervals=tuple(
            PredictedInterval(probability, dollars(price * math.exp(-half)), dollars(price * math.exp(half)), coverage)
            for probability, half, coverage in zip(PROBABILITIES, width.tolist(), coverages, strict=True)
        ),
        forecasts=len(inside),
        independent_forecasts=independent,
        calibration=calibration_of(coverages, independent),
    )


def _none(horizon: Horizon, obstacle: Obstacle, needed: int | None) -> Prediction:
    return Prediction(horizon, obstacle, needed, None, None, None, (), 0, 0, None)


@dataclass(frozen=True)
class _Walk:
    """The forecasts of the model at each close."""

    deviations: Floats
    """Of the next candle's log return."""
    widths: Floats
    """Half the width of each interval, in log price; NaN before the model is warm."""
    realised: Floats
    """Log return over the horizon; NaN if it is not known."""

    def inside(self) -> NDArray[np.bool_]:
        """Returns for each forecast that can be verified whether the price stayed inside each of its intervals."""
        verifiable = np.isfinite(self.realised) & np.isfinite(self.widths[:, 0]) & (self.deviations >= _STILL)
        return np.abs(self.realised[verifiable, None]) <= self.widths[verifiable]


def _walk(series: Series, steps: int) -> _Walk:
    returns = series.log_returns()
    deviations, seen = _deviations(returns, half_life_candles(steps))
    warm = (seen >= RETURNS_TO_WARM_UP) & (deviations >= _STILL) & np.isfinite(returns)
    residuals = np.full(len(returns), np.nan)
    residuals[warm] = np.abs(returns[warm]) / deviations[warm]
    quantiles = NORMAL_QUANTILES + (_quantiles_before(residuals) - NORMAL_QUANTILES) / steps
    widths = quantiles * (deviations * math.sqrt(steps))[:, None]
    return _Walk(deviations, widths, series.log_returns(steps))


def _deviations(returns: Floats, half_life: int) -> tuple[Floats, NDArray[np.int64]]:
    """Returns for each close the deviation of the returns up to it, and their number. A gap has no return."""
    decay = 0.5 ** (1 / half_life)
    squares = weight = 0.0
    count = 0
    deviations, seen = [0.0], [0]
    for value in returns[:-1].tolist():
        if math.isfinite(value):
            squares = squares * decay + value * value
            weight = weight * decay + 1
            count += 1
        deviations.append(math.sqrt(squares / weight) if count else 0.0)
        seen.append(count)
    return np.array(deviations), np.array(seen)


def _quantiles_before(residuals: Floats) -> Floats:
    """Returns for each close the quantiles of PROBABILITIES of the residuals before it; NaN while they are too few.

    The rank counts one more value, for the next one: otherwise intervals from few residuals are too narrow.
    """
    quantiles = np.full((len(residuals), len(PROBABILITIES)), np.nan)
    ordered: list[float] = []
    for index, residual in enumerate(residuals.tolist()):
        count = len(ordered)
        if count >= RESIDUALS_NEEDED:
            quantiles[index] = [ordered[math.ceil(p * (count + 1)) - 1] for p in PROBABILITIES]
        if math.isfinite(residual):
            insort(ordered, residual)
    return quantiles

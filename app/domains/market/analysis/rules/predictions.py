"""Predictions: a stated model, and a back-test of that very model on the same candles.

The model claims no direction: log returns have a drift of zero, so the median is the last close. Their deviation is
that of past returns, each candle weighing less by half every `half_life_candles(h)`; over h candles it grows with the
square root of h. How many deviations an interval spans is the quantile of past returns over one candle, each divided by
the deviation that was known before it: fat tails are as fat as they were. Over h candles sums of returns become normal,
and what the quantile exceeds the normal one by is divided by h, as the kurtosis of a sum is.

The back-test walks forward: at each past close it makes the interval from nothing but what was known then, and counts
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
"""Returns before the deviation is believed."""
RESIDUALS_NEEDED = 100
"""Standardised returns before their quantiles are believed: five of them lie outside the interval of 95%."""
FORECASTS_NEEDED = 30
INDEPENDENT_NEEDED = 20
"""Independent forecasts before the back-test says anything."""
TOLERANCE = 0.03
"""How far coverage may be from the probability, however many forecasts there are."""

# A candle's deviation under this is the rounding of floats.
_STILL = 1e-9


def predictions(series: Series) -> PredictionFindings:
    """Predictions for each horizon from the end of the last candle, which should be closed.

    2,000 hourly candles give all three, but 7 days come to be proven only by 3,700.
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
    """Candles in which a return loses half its weight: as long as the horizon, for a longer one needs longer memory."""
    return max(SHORTEST_HALF_LIFE, steps)


def candles_needed(steps: int) -> int:
    """Candles without a gap from which there is a prediction so many candles ahead, with its back-test."""
    return RETURNS_TO_WARM_UP + RESIDUALS_NEEDED + FORECASTS_NEEDED + steps


def calibration_of(coverages: Sequence[float], independent: int) -> Calibration:
    """What the coverages of PROBABILITIES say.

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
    """What the model said at each close."""

    deviations: Floats
    """Of the next candle's log return."""
    widths: Floats
    """Half the width of each interval, in log price; NaN before the model is warm."""
    realised: Floats
    """Log return over the horizon; NaN where it is not known."""

    def inside(self) -> NDArray[np.bool_]:
        """For each forecast that can be judged, whether the price stayed inside each of its intervals."""
        judged = np.isfinite(self.realised) & np.isfinite(self.widths[:, 0]) & (self.deviations >= _STILL)
        return np.abs(self.realised[judged, None]) <= self.widths[judged]


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
    """For each close, the deviation that the returns up to it give, and how many they are. A gap has no return."""
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
    """For each close, the quantiles of PROBABILITIES of the residuals before it; NaN while they are too few.

    The rank is of one more than there are, as for a value yet to come: else intervals of few residuals are narrow.
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

"""Predictions: intervals, and how often such intervals were right before."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from app.domains.market.prices.model import Interval


class Horizon(StrEnum):
    """How far ahead a prediction looks."""

    ONE_HOUR = "1h"
    ONE_DAY = "24h"
    SEVEN_DAYS = "7d"


class Calibration(StrEnum):
    """The calibration of the intervals of a horizon in the back-test; see `rules.predictions.calibration_of`."""

    CALIBRATED = "calibrated"
    TOO_NARROW = "too_narrow"
    TOO_WIDE = "too_wide"
    UNPROVEN = "unproven"


class Obstacle(StrEnum):
    """Why there is no prediction."""

    TOO_FEW_CANDLES = "too_few_candles"
    CANDLES_TOO_LONG = "candles_too_long"
    STANDS_STILL = "stands_still"
    TOO_WILD = "too_wild"


class PredictedInterval(msgspec.Struct, frozen=True):
    """The bounds in dollars of the price at a probability, and how often that was right in the back-test."""

    probability: float
    low: Decimal
    high: Decimal
    coverage: float


class Prediction(msgspec.Struct, frozen=True):
    """The prediction for a horizon. With an obstacle, there are no intervals, and nullable values are null."""

    horizon: Horizon
    obstacle: Obstacle | None
    candles_needed: int | None
    at: datetime | None
    median: Decimal | None
    deviation: float | None
    intervals: tuple[PredictedInterval, ...]
    forecasts: int
    independent_forecasts: int
    calibration: Calibration | None


class PredictionFindings(msgspec.Struct, frozen=True):
    """Predictions from the last close of a series of candles."""

    interval: Interval | None
    candles: int
    price: Decimal | None
    made_at: datetime | None
    predictions: tuple[Prediction, ...]

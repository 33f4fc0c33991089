"""The brief says what is known, with what it rests on, and no more."""

from datetime import timedelta
from decimal import Decimal

import pytest

from app.domains.market.analysis.model import Analysis, AnalysisStatus, AnalysisType
from app.domains.market.analysis.model.predictions import (
    Calibration,
    Horizon,
    PredictedInterval,
    Prediction,
    PredictionFindings,
)
from app.domains.market.analysis.rules.brief import brief
from app.domains.market.prices.model import Interval
from tests.databases import NOON


def prediction(horizon: Horizon, calibration: Calibration) -> Prediction:
    intervals = (PredictedInterval(0.8, Decimal(90), Decimal(110), 0.86),)
    return Prediction(horizon, None, 200, NOON, Decimal(100), 0.1, intervals, 400, 2, calibration)


def brief_of(*predictions: Prediction) -> list[str]:
    findings = PredictionFindings(Interval.ONE_HOUR, 700, Decimal(100), NOON, predictions)
    kind = AnalysisType.PREDICTIONS
    made = Analysis("BTC", kind, AnalysisStatus.AVAILABLE, None, 36, NOON, NOON + timedelta(minutes=15), findings)
    return [sentence.text for sentence in brief("BTC", {kind: made})]


@pytest.mark.parametrize("calibration", [Calibration.CALIBRATED, Calibration.TOO_NARROW, Calibration.TOO_WIDE])
def test_the_furthest_proven_prediction_is_shown_with_its_coverage(calibration: Calibration) -> None:
    assert brief_of(prediction(Horizon.ONE_DAY, calibration), prediction(Horizon.SEVEN_DAYS, Calibration.UNPROVEN)) == [
        "In 24h the price is between $90.0000 and $110.000 with a probability of 80%; such intervals have held 86% of"
        " the time."
    ]


def test_a_prediction_that_nothing_proves_is_not_shown() -> None:
    assert brief_of(prediction(Horizon.SEVEN_DAYS, Calibration.UNPROVEN)) == []

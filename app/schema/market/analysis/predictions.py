"""Price predictions."""

from datetime import datetime
from decimal import Decimal

import strawberry

from app.domains.market.analysis.model import predictions as model
from app.domains.market.analysis.model.predictions import Calibration, Horizon, Obstacle
from app.engine.declarations.costs import holds
from app.engine.declarations.nodes import record_type
from app.schema.enums import declare_enum
from app.schema.market.prices.candles import Interval

# The sizes of lists made with numpy and TA-Lib, which the schema does not import. A test compares them.
PROBABILITIES = 3

OBSTACLE = "Null if there is an `obstacle`."


declare_enum(
    Horizon,
    name="PredictionHorizon",
    description="How far ahead a prediction looks.",
    ONE_HOUR="One hour.",
    ONE_DAY="24 hours.",
    SEVEN_DAYS="Seven days.",
)
declare_enum(
    Calibration,
    description="How well the intervals of a horizon held in the back-test. A coverage may differ from its probability"
    " by twice the standard error over the independent forecasts, and by 0.03 at least.",
    CALIBRATED="All intervals held about as often as they should.",
    TOO_NARROW="At least one interval held too seldom: the price moves further than the intervals suggest.",
    TOO_WIDE="No interval held too seldom, and at least one held too often.",
    UNPROVEN="Fewer than 20 independent forecasts, which prove nothing.",
)
declare_enum(
    Obstacle,
    description="Why there is no prediction.",
    TOO_FEW_CANDLES="There are too few candles, or gaps leave fewer than 30 past forecasts to evaluate.",
    CANDLES_TOO_LONG="The horizon is not a whole number of candles.",
    STANDS_STILL="The price does not move.",
    TOO_WILD="The widest interval reaches prices of 10^12 dollars, which is not credible.",
)


@record_type(model.PredictedInterval)
class PredictedInterval:
    """A range of prices, and the probability that the price will be within it."""

    probability: float = strawberry.field(description="The probability that the interval holds: 0.5, 0.8 or 0.95.")
    low: Decimal = strawberry.field(
        name="lowUsd", description="The lower bound in dollars, above 0 except for rounding."
    )
    high: Decimal = strawberry.field(name="highUsd", description="The upper bound in dollars.")
    coverage: float = strawberry.field(
        name="coverageFraction",
        description="The fraction of intervals that held in the back-test, each made from what was known at the"
        " time: 0 to 1.",
    )


@record_type(model.Prediction)
class PricePrediction:
    """The prediction for one horizon, and its reliability."""

    horizon: Horizon = strawberry.field(description="How far ahead the prediction looks.")
    obstacle: Obstacle | None = strawberry.field(description="Why there is no prediction. Null if there is one.")
    candles_needed: int | None = strawberry.field(
        description="The number of candles without a gap that a prediction needs: 160 plus the horizon. Null if"
        " there are no candles, or if the horizon is not a whole number of candles."
    )
    at: datetime | None = strawberry.field(
        name="targetAt", description="The time that the prediction is for. " + OBSTACLE
    )
    median: Decimal | None = strawberry.field(
        name="medianUsd", description="The last close in dollars: the model predicts no direction. " + OBSTACLE
    )
    deviation: float | None = strawberry.field(
        name="deviationFraction",
        description="The standard deviation of the log return over the horizon: 0.02 is about 2 percent. " + OBSTACLE,
    )
    intervals: list[PredictedInterval] = strawberry.field(
        metadata=holds(PROBABILITIES),
        description="The intervals of 50, 80 and 95 percent, each within the next. Empty if there is an `obstacle`.",
    )
    forecasts: int = strawberry.field(
        name="forecastCount", description="The number of past forecasts in the back-test. They overlap."
    )
    independent_forecasts: int = strawberry.field(
        name="independentForecastCount",
        description="The number of forecasts that do not overlap: `forecastCount` divided by the candles of the"
        " horizon, rounded down.",
    )
    calibration: Calibration | None = strawberry.field(
        description="How well the intervals held in the back-test. " + OBSTACLE
    )


@record_type(model.PredictionFindings)
class PredictionFindings:
    """Predictions from the last close of a token's candles, each with its back-test. The model assumes log returns
    without drift. Their deviation is estimated from past returns, with a half-life of 24 candles, or of the horizon if
    that is longer. The intervals follow the quantiles of past returns divided by the deviation known before them; they
    approach the normal quantiles as the horizon grows. The back-test computes the same intervals at each past close
    from what was known at the time.
    """

    interval: Interval | None = strawberry.field(description="The length of the candles. Null if there are no candles.")
    candles: int = strawberry.field(name="candleCount", description="The number of candles.")
    price: Decimal | None = strawberry.field(
        name="priceUsd", description="The last close in dollars. Null if there are no candles."
    )
    made_at: datetime | None = strawberry.field(
        description="The time that the horizons start from: the end of the last candle. Null if there are no candles."
    )
    predictions: list[PricePrediction] = strawberry.field(
        metadata=holds(len(Horizon)), description="One prediction for each horizon, nearest first."
    )

"""The predictions in the graph."""

from datetime import datetime
from decimal import Decimal

import strawberry

from app.domains.market.analysis.model import predictions as model
from app.domains.market.analysis.model.predictions import Calibration, Horizon, Obstacle
from app.engine.limits.extra import holds
from app.engine.nodes import record_type
from app.schema.enums import declare_enum
from app.schema.market.prices.candles import Interval

# What makes these lists needs numpy and TA-Lib, which no graph should load; a test compares the sizes.
PROBABILITIES = 3

OBSTACLE = "Null where there is an `obstacle`."


declare_enum(
    Horizon,
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
    """Prices between which the price will be, with a probability."""

    probability: float = strawberry.field(description="How often it should hold: 0.5, 0.8 or 0.95.")
    low: Decimal = strawberry.field(description="Its lower end in dollars, over 0 but for rounding.")
    high: Decimal = strawberry.field(description="Its upper end in dollars.")
    coverage: float = strawberry.field(
        description="How often such an interval, made from what was known then, held in the back-test: 0 to 1."
    )


@record_type(model.Prediction)
class Prediction:
    """Where the price may be at one horizon, and how far that can be trusted."""

    horizon: Horizon = strawberry.field(description="How far ahead.")
    obstacle: Obstacle | None = strawberry.field(description="Why there is no prediction. Null: there is one.")
    candles_needed: int | None = strawberry.field(
        description="Candles without a gap that a prediction needs: 160 and the horizon. Null without candles, or "
        "where the horizon is no whole number of them."
    )
    at: datetime | None = strawberry.field(description="The moment that it is for. " + OBSTACLE)
    median: Decimal | None = strawberry.field(
        description="The last close, in dollars: the model claims no direction. " + OBSTACLE
    )
    deviation: float | None = strawberry.field(
        description="Standard deviation of the log return over the horizon: 0.02 is about 2 per cent. " + OBSTACLE
    )
    intervals: list[PredictedInterval] = strawberry.field(
        metadata=holds(PROBABILITIES),
        description="The intervals of 50, 80 and 95 per cent, each inside the next. Empty where there is an"
        " `obstacle`.",
    )
    forecasts: int = strawberry.field(description="Past forecasts in the back-test. They overlap.")
    independent_forecasts: int = strawberry.field(
        description="How many of them do not overlap: `forecasts` over the candles of the horizon, rounded down."
    )
    calibration: Calibration | None = strawberry.field(description="What the back-test says. " + OBSTACLE)


@record_type(model.PredictionFindings)
class PredictionFindings:
    """Predictions from the last close of a token's candles, each with its back-test. The model: log returns without
    drift; their deviation from past returns, each of which loses half its weight in 24 candles, or in as many as the
    horizon has where that is more; the intervals by the quantiles of past returns over the deviation known before them,
    which near the normal ones as the horizon grows. The back-test makes the same intervals at each past close from
    nothing but what was known then.
    """

    interval: Interval | None = strawberry.field(description="How long the candles are. Null without candles.")
    candles: int = strawberry.field(description="How many there are.")
    price: Decimal | None = strawberry.field(description="The last close in dollars. Null without candles.")
    made_at: datetime | None = strawberry.field(
        description="The moment that horizons count from: the end of the last candle. Null without candles."
    )
    predictions: list[Prediction] = strawberry.field(
        metadata=holds(len(Horizon)), description="One for each horizon, the nearest first."
    )

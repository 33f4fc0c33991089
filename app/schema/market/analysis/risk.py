"""Risk analysis."""

from datetime import datetime
from decimal import Decimal

import strawberry

from app.domains.market.analysis.model import risk as model
from app.domains.market.analysis.model.risk import RiskLevel
from app.engine.declarations.costs import holds
from app.engine.declarations.durations import DAY, Milliseconds, milliseconds_of
from app.engine.declarations.nodes import record_type
from app.schema.enums import declare_enum
from app.schema.market.prices.candles import Interval

# The sizes of lists made with numpy and TA-Lib, which the schema does not import. A test compares them.
CONFIDENCES = 2

TOO_FEW = "Null with fewer returns than `returnsNeeded`."


declare_enum(
    RiskLevel,
    name="TokenRiskLevel",
    description="The level of risk of a token, by its annual EWMA volatility.",
    LOW="Below 20 percent a year.",
    MODERATE="From 20 to below 60 percent a year.",
    HIGH="From 60 to below 120 percent a year.",
    EXTREME="120 percent a year or more.",
)


@record_type(model.TailRisk)
class TailRisk:
    """The possible loss within a day, as a fraction of the holding: 0.05 is 5 percent. A loss is positive. A negative
    value means that even bad days had gains.
    """

    confidence: float = strawberry.field(
        name="confidenceFraction", description="The fraction of days on which the loss is not exceeded: 0.95 or 0.99."
    )
    historical_var: float | None = strawberry.field(
        name="historicalVaRFraction",
        description="The value at risk: the loss that was not exceeded by this fraction of past 24-hour"
        " returns, which overlap, one per candle. Null with fewer days than `daysNeeded`.",
    )
    historical_cvar: float | None = strawberry.field(
        name="historicalCVaRFraction",
        description="The conditional value at risk: the mean of the losses of `historicalVaRFraction` or more. Null"
        " with fewer days than `daysNeeded`.",
    )
    parametric_var: float | None = strawberry.field(
        name="parametricVaRFraction",
        description="The value at risk of a normal log return without drift and with the EWMA deviation. It"
        " underestimates fat tails. Null with fewer than 30 returns.",
    )
    days_needed: int = strawberry.field(
        description="The number of whole days of 24-hour returns that the historical values need, so that one"
        " such loss is expected."
    )


@record_type(model.Drawdown)
class Drawdown:
    """The largest fall from a peak of the closes."""

    depth: float = strawberry.field(
        name="depthFraction", description="The depth as a fraction of the peak, above 0 and below 1: 0.3 is 30 percent."
    )
    peak_at: datetime = strawberry.field(description="When the candle of the peak opened.")
    peak_price: Decimal = strawberry.field(name="peakPriceUsd", description="The close at the peak, in dollars.")
    trough_at: datetime = strawberry.field(description="When the candle of the trough opened.")
    trough_price: Decimal = strawberry.field(name="troughPriceUsd", description="The close at the trough, in dollars.")


@record_type(model.MarketDependence)
class MarketDependence:
    """How the token moves with Bitcoin, from returns of the same periods."""

    beta: float | None = strawberry.field(
        description="The beta: the change in percent for each percent of Bitcoin. Null with fewer than 30"
        " common returns, or if the price of Bitcoin did not change."
    )
    correlation: float | None = strawberry.field(
        description="The correlation, -1 to 1. Null with fewer than 30 common returns, or if either price did"
        " not change."
    )
    observations: int = strawberry.field(description="The number of common returns.")


@record_type(model.RiskFindings)
class RiskFindings:
    """The risk of holding a token, from its candles. A year has 365 days. 0.5 is 50 percent. Returns are computed
    between consecutive candles only, never across a gap.
    """

    interval: Interval | None = strawberry.field(description="The length of the candles. Null if there are no candles.")
    candles: int = strawberry.field(name="candleCount", description="The number of candles.")
    returns: int = strawberry.field(name="returnCount", description="The number of returns.")
    returns_needed: int = strawberry.field(description="The number of returns that an annual figure needs: 30.")
    covered_ms: Milliseconds = milliseconds_of(
        "days", unit=DAY, description="The period that the returns cover, in milliseconds."
    )
    level: RiskLevel | None = strawberry.field(description="The level of risk, by `ewmaVolatilityFraction`. " + TOO_FEW)
    volatility: float | None = strawberry.field(
        name="volatilityFraction",
        description="The annual volatility, the standard deviation of the log returns: 0.8 is 80 percent. " + TOO_FEW,
    )
    ewma_volatility: float | None = strawberry.field(
        name="ewmaVolatilityFraction",
        description="The annual volatility without drift, as a fraction, with exponentially decreasing weights: a day"
        " has 0.94 of the weight of the next day. " + TOO_FEW,
    )
    downside_deviation: float | None = strawberry.field(
        name="downsideDeviationFraction",
        description="The annual downside deviation as a fraction: the root mean square of the shortfalls from the"
        " risk-free rate. " + TOO_FEW,
    )
    tails: list[TailRisk] = strawberry.field(
        metadata=holds(CONFIDENCES), description="The tail risk of one day, at 95 and at 99 percent."
    )
    max_drawdown: Drawdown | None = strawberry.field(
        description="The maximum drawdown. Null if the price never fell, or if there are no candles."
    )
    current_drawdown: float | None = strawberry.field(
        name="currentDrawdownFraction",
        description="How far the last close is below the highest, as a fraction of it. Null if there are no candles.",
    )
    risk_free_rate: float = strawberry.field(
        name="riskFreeRateFraction", description="The assumed risk-free rate of return a year: 0.04 is 4 percent."
    )
    sharpe: float | None = strawberry.field(
        name="sharpeRatio",
        description="The annual Sharpe ratio of the past: the mean return in excess of the risk-free rate,"
        " divided by the volatility. Null with fewer returns than `returnsNeeded`, or if all are equal.",
    )
    sortino: float | None = strawberry.field(
        name="sortinoRatio",
        description="The annual Sortino ratio of the past: the same divided by the downside deviation. Null"
        " with fewer returns than `returnsNeeded`, or if none falls short.",
    )
    bitcoin: MarketDependence = strawberry.field(description="How the token moves with Bitcoin.")

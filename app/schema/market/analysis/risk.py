"""The risk analysis in the graph."""

from datetime import datetime
from decimal import Decimal

import strawberry

from app.domains.market.analysis.model import risk as model
from app.domains.market.analysis.model.risk import RiskLevel
from app.engine.limits.extra import holds
from app.engine.nodes import record_type
from app.schema.enums import declare_enum
from app.schema.market.prices.candles import Interval

# What makes these lists needs numpy and TA-Lib, which no graph should load; a test compares the sizes.
CONFIDENCES = 2

TOO_FEW = "Null with fewer returns than `returnsNeeded`."


declare_enum(
    RiskLevel,
    description="The level of risk of a token, by its annual EWMA volatility.",
    LOW="Below 20 percent a year.",
    MODERATE="From 20 to below 60 percent a year.",
    HIGH="From 60 to below 120 percent a year.",
    EXTREME="120 percent a year or more.",
)


@record_type(model.TailRisk)
class TailRisk:
    """What may be lost within a day, as a part of what is held: 0.05 is 5 per cent. A loss is positive; under 0, even
    the bad days gained.
    """

    confidence: float = strawberry.field(description="How many days of all lose no more: 0.95 or 0.99.")
    historical_var: float | None = strawberry.field(
        name="historicalVaR",
        description="Value at risk: the loss that this part of past 24-hour returns did not exceed. They overlap, one "
        "from each candle. Null with fewer days than `daysNeeded`.",
    )
    historical_cvar: float | None = strawberry.field(
        name="historicalCVaR",
        description="Conditional value at risk: the mean of the losses from `historicalVaR` on. Null with fewer days "
        "than `daysNeeded`.",
    )
    parametric_var: float | None = strawberry.field(
        name="parametricVaR",
        description="Value at risk of a normal log return without drift and with the EWMA deviation; fat tails lose "
        "more. Null with fewer than 30 returns.",
    )
    days_needed: int = strawberry.field(
        description="Whole days of 24-hour returns that the historical values need: as many as hold one loss so rare."
    )


@record_type(model.Drawdown)
class Drawdown:
    """The deepest fall from a highest close."""

    depth: float = strawberry.field(description="As a part of the peak, over 0 and under 1: 0.3 is 30 per cent.")
    peak_at: datetime = strawberry.field(description="When the candle of the peak opened.")
    peak_price: Decimal = strawberry.field(description="Close at the peak, in dollars.")
    trough_at: datetime = strawberry.field(description="When the candle of the trough opened.")
    trough_price: Decimal = strawberry.field(description="Close at the trough, in dollars.")


@record_type(model.MarketDependence)
class MarketDependence:
    """How the token moves with Bitcoin, over returns of the same time."""

    beta: float | None = strawberry.field(
        description="How far it goes for each per cent of Bitcoin. Null with fewer than 30 common returns, or where "
        "Bitcoin stood still."
    )
    correlation: float | None = strawberry.field(
        description="-1 to 1. Null with fewer than 30 common returns, or where either stood still."
    )
    observations: int = strawberry.field(description="Returns that both have between the same two moments.")


@record_type(model.RiskFindings)
class RiskFindings:
    """Risk of holding a token, from its candles. A year is 365 days. Parts are fractions: 0.5 is 50 per cent. Returns
    are taken between neighbouring candles only, never over a gap.
    """

    interval: Interval | None = strawberry.field(description="How long the candles are. Null without candles.")
    candles: int = strawberry.field(description="How many there are.")
    returns: int = strawberry.field(description="How many returns they give.")
    returns_needed: int = strawberry.field(description="How many returns an annual figure needs: 30.")
    days: float = strawberry.field(description="Days that the returns cover.")
    level: RiskLevel | None = strawberry.field(description="By `ewmaVolatility`. " + TOO_FEW)
    volatility: float | None = strawberry.field(
        description="Standard deviation of the log returns, for a year: 0.8 is 80 per cent. " + TOO_FEW
    )
    ewma_volatility: float | None = strawberry.field(
        description="The same with a drift of zero and newer returns weighing more: a day's 0.94 of the next day's. "
        + TOO_FEW
    )
    downside_deviation: float | None = strawberry.field(
        description="Root mean square of what returns fall short of the risk-free rate by, for a year. " + TOO_FEW
    )
    tails: list[TailRisk] = strawberry.field(
        metadata=holds(CONFIDENCES), description="Value at risk for a day, at 95 and at 99 per cent."
    )
    max_drawdown: Drawdown | None = strawberry.field(
        description="The deepest fall between closes. Null where the price never fell, or without candles."
    )
    current_drawdown: float | None = strawberry.field(
        description="How far the last close is under the highest, as a part of it. Null without candles."
    )
    risk_free_rate: float = strawberry.field(
        description="What a year without risk is taken to earn: 0.04 is 4 per cent."
    )
    sharpe: float | None = strawberry.field(
        description="Sharpe ratio for a year: mean return over the risk-free rate, for each unit of deviation. Of the "
        "past. Null with fewer returns than `returnsNeeded`, or where all are equal."
    )
    sortino: float | None = strawberry.field(
        description="Sortino ratio for a year: the same for each unit of downside deviation. Null with fewer returns "
        "than `returnsNeeded`, or where none falls short."
    )
    bitcoin: MarketDependence = strawberry.field(description="How it moves with Bitcoin.")

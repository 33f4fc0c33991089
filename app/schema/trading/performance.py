"""What portfolios did in days, weeks, months and years."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from app.domains.trading.performance import model
from app.engine.declarations.nodes import record_type
from app.schema.currencies import Currency
from app.schema.enums import declare_enum

IN_CURRENCY = "In the currency of the portfolio."
FRACTION = "A fraction: 0.01 is one percent."
UNVALUED = "Null without two values"
DAILY = "from the time-weighted returns of whole days, annualized over 365 days, as the market never closes"

declare_enum(
    model.Period,
    name="PerformancePeriod",
    description="A part of the calendar, in UTC.",
    DAY="A day. Kept for two years.",
    WEEK="A week, from Monday. Kept for ever.",
    MONTH="A month. Kept for ever.",
    YEAR="A year. Kept for ever.",
)


@record_type(model.PeriodPerformance)
class PortfolioPerformance:
    """What a portfolio did in a day, week, month or year in UTC, measured each hour until the period is over.

    It is measured from what the portfolio was worth at the beginning of each hour of the last month, of each day before
    that, and at each deposit and withdrawal. If a life of the portfolio began in the period, it is measured from there.
    """

    period_start: datetime = strawberry.field(name="startsAt", description="When the period began.")
    period_end: datetime = strawberry.field(name="endsAt", description="When the period ended or will end, exclusive.")
    is_final: bool = strawberry.field(
        description="Whether it will not change any more. Otherwise it is what the portfolio did so far."
    )
    computed_at: datetime = strawberry.field(
        description="When it was computed: each hour until it is final, and the year once a day."
    )
    life: int = strawberry.field(description="The life of the portfolio that it belongs to. 1 is the first.")
    currency: Currency = strawberry.field(description="The currency of the portfolio, and of the amounts.")
    measured_from: datetime | None = strawberry.field(
        name="openingAt",
        description="The time of the opening value: the last one until the period began, or the first one in it. Null"
        " without values.",
    )
    measured_until: datetime | None = strawberry.field(
        name="closingAt",
        description="The time of the closing value: the last one until the period ended. Null without values.",
    )
    opening_value: Decimal | None = strawberry.field(
        description=f"What the portfolio was worth at first. {IN_CURRENCY} Null without values."
    )
    closing_value: Decimal | None = strawberry.field(
        description=f"What it was worth at last. {IN_CURRENCY} Null without values."
    )
    net_flow: Decimal = strawberry.field(
        description=f"Deposits less withdrawals between the opening and the closing value. {IN_CURRENCY}"
    )
    gain: Decimal | None = strawberry.field(
        description=f"Closing value less opening value less net flow. {IN_CURRENCY} Null without values."
    )
    time_weighted_return: float | None = strawberry.field(
        name="timeWeightedReturnFraction",
        description="The return in the period, whatever was deposited and withdrawn: the product of (1 + return) of the"
        f" intervals between values, less 1. {FRACTION} {UNVALUED}, if the portfolio was always empty, or if there was"
        " a gain without money.",
    )
    is_estimated: bool = strawberry.field(
        description="Whether the time-weighted return is an estimate (modified Dietz), because of a deposit or"
        " withdrawal at whose time the value is not known."
    )
    money_weighted_return: float | None = strawberry.field(
        name="moneyWeightedReturnFraction",
        description="The internal rate of return in the period, not annualized: the rate at which the opening value,"
        f" deposits and withdrawals grow to the closing value. {FRACTION} {UNVALUED}, if the portfolio was always"
        " empty, or if there is no such rate.",
    )
    max_drawdown: float | None = strawberry.field(
        name="maxDrawdownFraction",
        description="The deepest fall from an earlier high of the time-weighted return, as a fraction of that high: 0.2"
        " is a fall by 20 percent. Null if the time-weighted return is.",
    )
    peak_at: datetime | None = strawberry.field(
        name="maxDrawdownPeakAt", description="When the deepest fall began. Null without a fall."
    )
    trough_at: datetime | None = strawberry.field(
        name="maxDrawdownTroughAt", description="When the deepest fall ended. Null without a fall."
    )
    daily_returns: int = strawberry.field(
        name="dailyReturnCount",
        description="The number of whole days with a return, which volatility, Sharpe and Sortino ratio are computed"
        " from.",
    )
    volatility: float | None = strawberry.field(
        name="volatilityFraction",
        description=f"The sample standard deviation of returns, {DAILY}. {FRACTION} Null with fewer than two days.",
    )
    sharpe: float | None = strawberry.field(
        name="sharpeRatio",
        description=f"The mean return by the sample standard deviation of returns, {DAILY}. The risk-free rate is 0."
        " Null with fewer than two days, or if all are equal.",
    )
    sortino: float | None = strawberry.field(
        name="sortinoRatio",
        description=f"The mean return by the root mean square of the losses, over all days, {DAILY}. The risk-free rate"
        " is 0. Null with fewer than two days, or without a day with a loss.",
    )
    exposure: float | None = strawberry.field(
        name="exposureFraction",
        description="The mean share of the value that is in positions, weighted by time: from 0 to 1."
        f" {UNVALUED}, or if the portfolio was always empty.",
    )
    time_in_market: float | None = strawberry.field(
        name="timeInMarketFraction",
        description=f"The share of the time in which there were positions: from 0 to 1. {UNVALUED}, or if the portfolio"
        " was always empty.",
    )
    trades: int = strawberry.field(name="tradeCount", description="The number of orders that filled, in part or whole.")
    fills: int = strawberry.field(name="fillCount", description="The number of fills.")
    turnover: Decimal = strawberry.field(
        description=f"The sum of quantity times price of all fills, of buys and of sales. {IN_CURRENCY}"
    )
    turnover_ratio: float | None = strawberry.field(
        name="turnoverFraction",
        description="The turnover as a fraction of the mean value, weighted by time: 1 if as much was traded as the"
        f" portfolio was worth. {UNVALUED}, or if the portfolio was always empty.",
    )
    fees: Decimal = strawberry.field(description=f"The fees of all fills. {IN_CURRENCY}")
    round_trips: int = strawberry.field(
        name="roundTripCount",
        description="The number of closed round trips: what one order sold in the period, however many purchases and"
        " fills it took.",
    )
    realized_pnl: Decimal = strawberry.field(
        description=f"The profits less the losses of the round trips, after the fees of both sides. {IN_CURRENCY}"
    )
    win_rate: float | None = strawberry.field(
        name="winRateFraction",
        description="The round trips with a profit after fees, as a fraction of all: from 0 to 1. One that broke even"
        " is no win. Null without round trips.",
    )
    profit_factor: float | None = strawberry.field(
        description="The sum of the profits of round trips by the sum of the losses. Null without losses."
    )
    best_pnl: Decimal | None = strawberry.field(
        name="bestTradePnl",
        description=f"The largest profit of a round trip, or else the smallest loss. {IN_CURRENCY} Null without round"
        " trips.",
    )
    worst_pnl: Decimal | None = strawberry.field(
        name="worstTradePnl",
        description=f"The largest loss of a round trip, or else the smallest profit. {IN_CURRENCY} Null without round"
        " trips.",
    )


def performance_filters(
    period: Annotated[model.Period, strawberry.argument(description="How long the periods are.")],
    since: Annotated[
        datetime | None, strawberry.argument(description="Periods that began at this time or later. Null: any.")
    ] = None,
    until: Annotated[
        datetime | None, strawberry.argument(description="Periods that began before this time. Null: any.")
    ] = None,
) -> dict[str, Any]:
    """The arguments of performance."""
    return {"period": period, "since": since, "until": until}

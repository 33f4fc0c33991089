"""What back-tests come to."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry

from app.domains.trading.backtests import model
from app.domains.trading.backtests.model import reports
from app.domains.trading.backtests.model.assumptions import ASSUMPTIONS
from app.engine.declarations.computed import from_parent
from app.engine.declarations.costs import holds
from app.engine.declarations.nodes import record_type
from app.schema.enums import declare_enum

IN_DOLLARS = "In dollars."
FRACTION = "A fraction: 0.01 is one percent."
DAILY = "of whole days, annualized over 365 days, as the market never closes"

declare_enum(
    reports.Exit,
    name="BacktestExit",
    description="What ended a round trip of a back-test.",
    TAKE_PROFIT="The price reached the take profit.",
    STOP_LOSS="The price reached the stop loss.",
    SIGNAL="The strategy advised to sell.",
)


@record_type(reports.Metrics)
class BacktestMetrics:
    """What a simulation came to, measured as portfolios are."""

    final_value_usd: Decimal = strawberry.field(description=f"What the bot was worth at the end. {IN_DOLLARS}")
    return_fraction: float | None = strawberry.field(
        name="totalReturnFraction",
        description=f"The return, after all fees, of what is held at the end as well. {FRACTION} Null if it is"
        f" undefined.",
    )
    max_drawdown: float | None = strawberry.field(
        name="maxDrawdownFraction",
        description="The deepest fall from an earlier high at the ends of candles, as a fraction of that high. Null if"
        " the return is.",
    )
    volatility: float | None = strawberry.field(
        name="volatilityFraction",
        description=f"The sample standard deviation of the returns {DAILY}. {FRACTION} Null with fewer than two days.",
    )
    sharpe: float | None = strawberry.field(
        name="sharpeRatio",
        description=f"The mean by the sample standard deviation of the returns {DAILY}. The risk-free rate is 0. Null"
        " with fewer than two days, or if all are equal.",
    )
    sortino: float | None = strawberry.field(
        name="sortinoRatio",
        description=f"The mean return by the root mean square of the losses, {DAILY}. The risk-free rate is 0. Null"
        " with fewer than two days, or without a day with a loss.",
    )
    exposure: float | None = strawberry.field(
        name="exposureFraction",
        description="The mean share of the value that was in the token, weighted by time: from 0 to 1. Null if it is"
        " undefined.",
    )
    time_in_market: float | None = strawberry.field(
        name="timeInMarketFraction",
        description="The share of the time in which the token was held: from 0 to 1. Null if it is undefined.",
    )
    orders: int = strawberry.field(name="orderCount", description="The number of orders that filled, in part or whole.")
    fills: int = strawberry.field(name="fillCount", description="The number of fills.")
    turnover_usd: Decimal = strawberry.field(
        description=f"The sum of quantity times price of all fills, of buys and of sales. {IN_DOLLARS}"
    )
    fees_usd: Decimal = strawberry.field(description=f"The fees of all fills. {IN_DOLLARS}")
    round_trips: int = strawberry.field(
        name="roundTripCount",
        description="The number of round trips: what one order sold each. A bot's are counted by its entries.",
    )
    realized_pnl_usd: Decimal = strawberry.field(
        description=f"The profits less the losses of the round trips, after the fees of both sides. {IN_DOLLARS}"
    )
    win_rate: float | None = strawberry.field(
        name="winRateFraction",
        description="The round trips with a profit after fees, as a fraction of all: from 0 to 1. Null without round"
        " trips.",
    )
    profit_factor: float | None = strawberry.field(
        description="The sum of the profits of round trips by the sum of the losses. Null without losses."
    )
    best_pnl_usd: Decimal | None = strawberry.field(
        name="bestTradePnlUsd",
        description=f"The largest profit of a round trip, or else the smallest loss. {IN_DOLLARS} Null without round"
        f" trips.",
    )
    worst_pnl_usd: Decimal | None = strawberry.field(
        name="worstTradePnlUsd",
        description=f"The largest loss of a round trip, or else the smallest profit. {IN_DOLLARS} Null without round"
        f" trips.",
    )
    buy_signals: int = strawberry.field(name="buySignalCount", description="How often the strategy advised to buy.")
    sell_signals: int = strawberry.field(name="sellSignalCount", description="How often it advised to sell.")
    ignored_signals: int = strawberry.field(
        name="ignoredSignalCount",
        description="How often it advised to buy and nothing was bought: there was no room, losses forbade it, or the"
        " order was refused.",
    )


@record_type(reports.Benchmark)
class BacktestBenchmark:
    """What the cash would have come to in the token: bought at the first open with the spread and the fee, and held."""

    final_value_usd: Decimal = strawberry.field(description=f"What it would be worth at the last close. {IN_DOLLARS}")
    return_fraction: float = strawberry.field(name="totalReturnFraction", description=f"The return. {FRACTION}")
    max_drawdown: float = strawberry.field(
        name="maxDrawdownFraction",
        description="The deepest fall from an earlier high at the ends of candles, as a fraction of that high.",
    )


@record_type(reports.OpenPosition)
class BacktestOpenPosition:
    """What is still held at the end."""

    quantity: Decimal = strawberry.field(description="The quantity, in coins.")
    cost_usd: Decimal = strawberry.field(description=f"What was paid for it, fees included. {IN_DOLLARS}")
    price_usd: Decimal = strawberry.field(description="The last close, in dollars for a coin.")
    value_usd: Decimal = strawberry.field(description=f"Quantity times price. {IN_DOLLARS}")
    pnl_usd: Decimal = strawberry.field(name="unrealizedPnlUsd", description=f"Value less cost. {IN_DOLLARS}")


@record_type(reports.CurvePoint)
class BacktestCurvePoint:
    """What the bot was worth at the end of a candle."""

    at: datetime = strawberry.field(name="endedAt", description="The end of the candle.")
    value_usd: Decimal = strawberry.field(description=f"Cash, and what was held at the close. {IN_DOLLARS}")
    cash_usd: Decimal = strawberry.field(description=f"The part that was cash. {IN_DOLLARS}")
    price_usd: Decimal = strawberry.field(description="The close, in dollars for a coin.")
    drawdown: float = strawberry.field(
        name="drawdownFraction",
        description="How far the value was below its highest until then, as a fraction of that: from 0 to 1.",
    )


def _metrics(root: reports.Report) -> Any:
    return root.metrics


def _benchmark(root: reports.Report) -> Any:
    return root.benchmark


def _open(root: reports.Report) -> Any:
    return root.open


def _curve(root: reports.Report) -> Any:
    return root.curve


def _assumptions(root: reports.Report) -> list[str]:
    return list(ASSUMPTIONS)


@record_type(reports.Report)
class BacktestReport:
    """What a back-test came to. The same candles and the same settings come to the same."""

    begins_at: datetime = strawberry.field(name="startsAt", description="When the first candle opened.")
    ends_at: datetime = strawberry.field(description="When the last candle closed.")
    candles: int = strawberry.field(name="candleCount", description="The number of candles that were traded in.")
    missing_candles: int = strawberry.field(
        name="missingCandleCount", description="How many candles are not stored between the first and the last."
    )
    metrics: BacktestMetrics = from_parent(
        _metrics, graphql_type=BacktestMetrics, description="What the simulation came to."
    )
    benchmark: BacktestBenchmark = from_parent(
        _benchmark, graphql_type=BacktestBenchmark, description="What buying and holding would have come to."
    )
    open: BacktestOpenPosition | None = from_parent(
        _open,
        graphql_type=BacktestOpenPosition | None,
        description="What is still held at the end, valued and not sold. Null if nothing is.",
    )
    curve: list[BacktestCurvePoint] = from_parent(
        _curve,
        graphql_type=list[BacktestCurvePoint],
        metadata=holds(model.CURVE_POINTS),
        description=f"What the bot was worth at the ends of candles, oldest first: at most {model.CURVE_POINTS:,}"
        " points, equally far apart, the last of which is the end.",
    )
    last_ignored: str | None = strawberry.field(
        name="lastIgnoredReason",
        description="Why the last of the signals was ignored of which nothing was bought, in English. Null: none was.",
    )
    assumptions: list[str] = from_parent(
        _assumptions,
        metadata=holds(len(ASSUMPTIONS)),
        description="What the simulation takes for granted, in English: the path within a candle, fills, fees, the"
        " spread.",
    )


@record_type(model.BacktestTrade)
class BacktestRoundTrip:
    """A round trip of a back-test: what one order sold, however many purchases and fills it took, first in, first
    out.
    """

    number: int = strawberry.field(description="Its place, from 1, in the order of the first sale.")
    opened_at: datetime = strawberry.field(description="When the oldest of it was bought.")
    closed_at: datetime = strawberry.field(description="When the last of it was sold.")
    quantity: Decimal = strawberry.field(description="The quantity, in coins.")
    cost_usd: Decimal = strawberry.field(description=f"What was paid for it, fees included. {IN_DOLLARS}")
    proceeds_usd: Decimal = strawberry.field(description=f"What it was sold for, less the fees. {IN_DOLLARS}")
    pnl_usd: Decimal = strawberry.field(description=f"Proceeds less cost. {IN_DOLLARS}")
    average_price_usd: Decimal = strawberry.field(
        name="averageExitPriceUsd", description="The average price of the sale without fees, in dollars for a coin."
    )
    exit: reports.Exit = strawberry.field(description="What ended it.")

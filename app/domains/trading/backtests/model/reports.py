"""What a simulation is given, and what comes of it. Amounts and prices are in dollars, times in UTC.

Returns, shares and rates are fractions: 0.05 is 5 per cent. What a bot is configured with is in percent.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from app.domains.market.prices.model import Interval
from app.domains.trading.strategies.model import (
    POSITION_USD,
    STOP_LOSS_PERCENTAGE,
    TAKE_PROFIT_PERCENTAGE,
    Config,
    Dca,
    RiskLevel,
)


class Exit(StrEnum):
    """What ended a round trip."""

    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"
    SIGNAL = "signal"


class BotTerms(msgspec.Struct, frozen=True, kw_only=True):
    """A bot as it is simulated. Null: no limit of the losses of a day."""

    symbol: str
    config: Config = Dca()
    risk_level: RiskLevel = RiskLevel.MEDIUM
    max_position_usd: Decimal = POSITION_USD
    stop_loss_percentage: Decimal = STOP_LOSS_PERCENTAGE
    take_profit_percentage: Decimal = TAKE_PROFIT_PERCENTAGE
    daily_loss_limit_usd: Decimal | None = None
    cool_down_ms: int = 0


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One simulation, beside its candles: a bot with so much cash, of a user of this tier."""

    bot: BotTerms
    interval: Interval
    initial_cash_usd: Decimal
    tier: str = "free"


class CurvePoint(msgspec.Struct, frozen=True):
    """What the bot was worth at the end of a candle."""

    at: datetime
    value_usd: Decimal
    cash_usd: Decimal
    price_usd: Decimal
    drawdown: float
    """How far the value is below its highest until then, candles without a point included."""


class RoundTrip(msgspec.Struct, frozen=True):
    """What one order sold, of one purchase or several, first in, first out. Cost and proceeds are after all fees. Of a
    bot one is counted for each entry instead.
    """

    number: int
    opened_at: datetime
    """When the oldest of what it sold was bought."""
    closed_at: datetime
    """When the last of it was sold."""
    quantity: Decimal
    cost_usd: Decimal
    proceeds_usd: Decimal
    pnl_usd: Decimal
    average_price_usd: Decimal
    """The price of the sale, without fees."""
    exit: Exit


class OpenPosition(msgspec.Struct, frozen=True):
    """What is still held at the end, at the last close, as if that could be had without a fee."""

    quantity: Decimal
    cost_usd: Decimal
    price_usd: Decimal
    value_usd: Decimal
    pnl_usd: Decimal


class Benchmark(msgspec.Struct, frozen=True):
    """All of the cash in the token from the first open to the last close, bought from the house, with the fee."""

    final_value_usd: Decimal
    return_fraction: float
    max_drawdown: float


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to, by the rules that portfolios are measured by. Null: it is undefined."""

    final_value_usd: Decimal
    return_fraction: float | None
    max_drawdown: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    exposure: float | None
    time_in_market: float | None
    orders: int
    fills: int
    turnover_usd: Decimal
    fees_usd: Decimal
    round_trips: int
    realized_pnl_usd: Decimal
    win_rate: float | None
    profit_factor: float | None
    best_pnl_usd: Decimal | None
    worst_pnl_usd: Decimal | None
    buy_signals: int
    sell_signals: int
    ignored_signals: int
    """Decisions to buy of which nothing was bought: limits, losses, or an order that was refused."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did."""

    begins_at: datetime
    """When the first candle began."""
    ends_at: datetime
    """When the last candle ended."""
    candles: int
    missing_candles: int
    metrics: Metrics
    benchmark: Benchmark
    open: OpenPosition | None
    """Null: nothing is held at the end."""
    curve: list[CurvePoint]
    trips: list[RoundTrip]
    last_ignored: str | None
    """Why the last of the signals that were ignored was. Null: none was."""

"""Back-tests and sweeps of them, as they are asked for and stored. Amounts and prices are in dollars."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec

from app.domains.market.prices.model import Interval
from app.domains.trading.backtests.model.reports import BotTerms, Exit
from app.kit.errors import Problem

CURVE_POINTS: Final = 1_000
"""The points of an equity curve, at most."""
MAX_CANDLES: Final = 20_000
"""Of one back-test."""
MAX_RUNS: Final = 500
"""Of one sweep."""
MAX_SWEEP_CANDLES: Final = 5_000_000
"""Of all runs of a sweep together."""
MAX_AXES: Final = 4
MAX_UNFINISHED: Final = 3
"""Back-tests and sweeps of a user that wait or run."""
MAX_CASH_USD: Final = Decimal(1_000_000_000)
MIN_CASH_USD: Final = Decimal(1)


class BacktestStatus(StrEnum):
    """What has become of a back-test or a sweep. All but QUEUED and RUNNING are final."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A back-test to run. Null: from the oldest candles that fit, until now."""

    bot: BotTerms
    interval: Interval
    initial_cash_usd: Decimal
    since: datetime | None = None
    until: datetime | None = None


class SweepField(StrEnum):
    """A setting of a strategy or a bot that runs of a sweep can differ in: a field of Config or BotTerms."""

    AMOUNT_USD = "amount_usd"
    EVERY_CANDLES = "every_candles"
    RANGE_PERCENTAGE = "range_percentage"
    LEVELS = "levels"
    PERIOD = "period"
    THRESHOLD_PERCENTAGE = "threshold_percentage"
    RSI_PERIOD = "rsi_period"
    OVERBOUGHT = "overbought"
    OVERSOLD = "oversold"
    DEVIATIONS = "deviations"
    FAST_PERIOD = "fast_period"
    SLOW_PERIOD = "slow_period"
    VOLUME_RATIO = "volume_ratio"
    ENTRY_SPREAD_PERCENTAGE = "entry_spread_percentage"
    EXIT_SPREAD_PERCENTAGE = "exit_spread_percentage"
    ADX_PERIOD = "adx_period"
    MIN_ADX = "least_adx"
    ENTRY_PERIOD = "entry_period"
    EXIT_PERIOD = "exit_period"
    ATR_PERIOD = "atr_period"
    MIN_ATR_PERCENTAGE = "least_atr_percentage"
    MIN_STRENGTH = "least_strength"
    TREND_PERIOD = "trend_period"
    STOP_LOSS_PERCENTAGE = "stop_loss_percentage"
    TAKE_PROFIT_PERCENTAGE = "take_profit_percentage"
    MAX_POSITION_USD = "max_position_usd"


class Axis(msgspec.Struct, frozen=True):
    """A setting, and the values that it has in turn."""

    field: SweepField
    values: tuple[Decimal, ...]


class AskedSweep(msgspec.Struct, frozen=True, kw_only=True):
    """A sweep to run: every combination of the values of its axes. Null as train fraction: nothing is held back."""

    asked: Asked
    axes: tuple[Axis, ...]
    train_fraction: Decimal | None = None


class Backtest(msgspec.Struct, frozen=True):
    """A back-test of a user."""

    id: UUID
    user_id: UUID
    symbol: str
    interval: Interval
    exchange: str
    since: datetime
    until: datetime
    strategy: str
    bot: dict[str, Any]
    """BotTerms as JSON."""
    initial_cash_usd: Decimal
    tier: str
    status: BacktestStatus
    status_reason: str | None
    candles_done: int
    candles_total: int
    report: dict[str, Any] | None
    """A Report without its trips, as JSON. Null unless it is completed."""
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class BacktestTrade(msgspec.Struct, frozen=True):
    """A round trip of a back-test as it is stored."""

    backtest_id: UUID
    number: int
    opened_at: datetime
    closed_at: datetime
    quantity: Decimal
    cost_usd: Decimal
    proceeds_usd: Decimal
    pnl_usd: Decimal
    average_price_usd: Decimal
    exit: Exit


class BacktestSweep(msgspec.Struct, frozen=True):
    """A sweep of a user."""

    id: UUID
    user_id: UUID
    symbol: str
    interval: Interval
    exchange: str
    since: datetime
    until: datetime
    strategy: str
    bot: dict[str, Any]
    axes: list[Any]
    initial_cash_usd: Decimal
    tier: str
    train_fraction: Decimal | None
    status: BacktestStatus
    status_reason: str | None
    runs_done: int
    runs_total: int
    left_out: int
    test_begins_at: datetime | None
    candles: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class SweepRun(msgspec.Struct, frozen=True):
    """What a combination of a sweep came to."""

    sweep_id: UUID
    number: int
    settings: dict[str, str]
    train: dict[str, Any]
    """Metrics as JSON."""
    test: dict[str, Any] | None
    train_return: float | None
    train_drawdown: float | None
    train_sharpe: float | None
    train_sortino: float | None
    train_profit_factor: float | None
    test_return: float | None
    test_drawdown: float | None
    test_sharpe: float | None
    test_sortino: float | None
    test_profit_factor: float | None


class Span(msgspec.Struct, frozen=True):
    """Stored candles of a token at the exchange that quotes it now."""

    exchange: str
    candles: int
    begins_at: datetime
    ends_at: datetime
    """When the last one opened."""


class ProgressFact(msgspec.Struct, frozen=True):
    """What `backtest_stream` says: how far it was then. `done` counts candles of a back-test, runs of a sweep."""

    status: BacktestStatus
    done: int
    total: int


class CandlesMissing(Problem):
    """No candles of this token and interval are stored in this span of time."""

    field = "symbol"


class BacktestTooLarge(Problem):
    """That is more than one request can ask for."""

    def __init__(self, message: str, limit: int, asked: int) -> None:
        super().__init__(message)
        self.limit = limit
        self.asked = asked


class TooManyBacktests(Problem):
    """As many back-tests and sweeps of this user wait or run as can at once."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"At most {limit} back-tests and sweeps of yours can wait or run at once.")
        self.limit = limit


class BacktestNotRunning(Problem):
    """It has ended."""


PROGRESS: Final = "progress"
STREAM: Final = "backtest:"
"""How the names of streams begin."""


def backtest_stream(id: UUID) -> str:
    """The stream of a back-test or a sweep. Its facts are of the kind `progress` and carry a ProgressFact."""
    return f"{STREAM}{id}"

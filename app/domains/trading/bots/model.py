"""Bots, their signals, and what they bought and sold. Amounts and prices are in dollars, percentages in percent."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from app.domains.market.prices.model import Interval
from app.domains.trading.strategies.model import (
    POSITION_USD,
    STOP_LOSS_PERCENTAGE,
    TAKE_PROFIT_PERCENTAGE,
    Config,
    RiskLevel,
    SignalType,
    Strategy,
)
from app.kit.changes import Changes
from app.kit.errors import Problem

MAX_SYMBOLS: Final = 10
MAX_HELD_SYMBOLS: Final = 100
"""Tokens that a bot can hold: those that it trades, and some that it traded before."""
MAX_MODEL_CHARS: Final = 100
INITIAL_INVESTMENT_USD: Final = Decimal(1000)
AI_MODEL: Final = "gpt-4o-mini"


class BotStatus(StrEnum):
    """Whether a bot decides. Only an ACTIVE one does."""

    ACTIVE = "active"
    PAUSED = "paused"
    STOPPED = "stopped"
    ERROR = "error"


class ExecutionStatus(StrEnum):
    """What became of a signal. All but PENDING are final."""

    PENDING = "PENDING"
    EXECUTED = "EXECUTED"
    FAILED = "FAILED"
    IGNORED = "IGNORED"


class Bot(msgspec.Struct, frozen=True):
    """A bot of a user."""

    id: UUID
    user_id: UUID
    portfolio_id: UUID
    name: str
    strategy: Strategy
    config: dict[str, Any]
    """A Config of `strategies`, as JSON."""
    target_symbols: list[str]
    interval: Interval
    max_position_size: Decimal
    stop_loss_percentage: Decimal
    take_profit_percentage: Decimal
    risk_level: RiskLevel
    daily_loss_limit: Decimal | None
    cool_down_ms: int
    initial_investment: Decimal
    ai_model: str | None
    status: BotStatus
    status_reason: str | None
    started_at: datetime | None
    created_at: datetime
    updated_at: datetime


class BotState(msgspec.Struct, frozen=True):
    """What a bot decided last about a token."""

    bot_id: UUID
    symbol: str
    decided_at: datetime
    signal_type: SignalType
    confidence: int
    reasoning: str
    technical_indicators: dict[str, float]
    price: Decimal


class Signal(msgspec.Struct, frozen=True):
    """What a bot advised at the end of a candle."""

    id: UUID
    bot_id: UUID
    symbol: str
    signal_type: SignalType
    confidence: int
    price: Decimal
    reasoning: str
    technical_indicators: dict[str, float]
    execution_status: ExecutionStatus
    status_reason: str | None
    candle_closed_at: datetime
    executed_at: datetime | None
    created_at: datetime


class BotEntry(msgspec.Struct, frozen=True):
    """Coins that a bot bought by one signal, and what became of them."""

    id: UUID
    bot_id: UUID
    symbol: str
    slot: int | None
    signal_id: UUID
    bought_quantity: Decimal
    cost: Decimal
    sold_quantity: Decimal
    proceeds: Decimal
    fees: Decimal
    pnl: Decimal
    opened_at: datetime
    closed_at: datetime | None
    is_abandoned: bool


class BotPerformance(msgspec.Struct, frozen=True):
    """What a bot has earned. `holding_return_fraction` is what its tokens would have, bought in equal parts when it
    first decided on each; null before that, or without a quote.
    """

    bot_id: UUID
    initial_investment: Decimal
    total_trades: int
    winning_trades: int
    win_rate_fraction: Decimal | None
    realized_pnl: Decimal
    open_pnl: Decimal
    total_pnl: Decimal
    current_value: Decimal
    return_fraction: Decimal
    holding_return_fraction: Decimal | None
    max_drawdown: Decimal
    fees: Decimal
    last_trade_at: datetime | None
    unquoted_symbols: list[str]


class NewBot(msgspec.Struct, frozen=True, kw_only=True):
    """A bot to create. Null: the usual value."""

    portfolio_id: UUID
    name: str
    strategy: Config
    target_symbols: list[str]
    interval: Interval = Interval.ONE_HOUR
    max_position_usd: Decimal = POSITION_USD
    stop_loss_percentage: Decimal = STOP_LOSS_PERCENTAGE
    take_profit_percentage: Decimal = TAKE_PROFIT_PERCENTAGE
    risk_level: RiskLevel = RiskLevel.MEDIUM
    daily_loss_limit_usd: Decimal | None = None
    cool_down_ms: int = 0
    initial_investment_usd: Decimal = INITIAL_INVESTMENT_USD
    ai_model: str | None = AI_MODEL


class BotChanges(Changes, frozen=True, kw_only=True):
    """Changes to a bot. UNSET leaves a field unchanged."""

    name: str | UnsetType = UNSET
    strategy: Config | UnsetType = UNSET
    target_symbols: list[str] | UnsetType = UNSET
    interval: Interval | UnsetType = UNSET
    max_position_usd: Decimal | UnsetType = UNSET
    stop_loss_percentage: Decimal | UnsetType = UNSET
    take_profit_percentage: Decimal | UnsetType = UNSET
    risk_level: RiskLevel | UnsetType = UNSET
    daily_loss_limit_usd: Decimal | UnsetType | None = UNSET
    cool_down_ms: int | UnsetType = UNSET
    ai_model: str | UnsetType | None = UNSET


class LockedBot(msgspec.Struct, frozen=True):
    """A bot that the transaction has locked."""

    id: UUID
    user_id: UUID
    portfolio_id: UUID
    name: str
    status: BotStatus
    status_reason: str | None
    strategy: Strategy
    config: dict[str, Any]
    target_symbols: list[str]
    interval: Interval


class DueBot(msgspec.Struct, frozen=True):
    """An active bot whose candle has ended, and a token that it has not decided on since."""

    bot_id: UUID
    user_id: UUID
    portfolio_id: UUID
    symbol: str
    config: dict[str, Any]
    max_position_size: Decimal
    stop_loss_percentage: Decimal
    take_profit_percentage: Decimal
    risk_level: RiskLevel
    daily_loss_limit: Decimal | None
    cool_down_ms: int
    ai_model: str | None
    state: dict[str, Any] | None
    decided_at: datetime | None
    """The end of the candle that it decided on last. Null: none yet."""
    last_type: str | None
    """What it decided last. Null: nothing yet."""
    lost_today: Decimal
    last_loss_at: datetime | None


class HeldEntry(msgspec.Struct, frozen=True):
    """An open entry of a bot, and the orders that sell it."""

    id: UUID
    bot_id: UUID
    symbol: str
    slot: int | None
    is_bought: bool
    """Whether its purchase is over."""
    bought_quantity: Decimal
    sold_quantity: Decimal
    average_price: Decimal | None
    opened_at: datetime
    take_profit_id: UUID | None
    """The take profit, if it is open and in the book."""
    has_stop: bool
    """Whether its stop loss is open, or another order that sells it at a loss if need be."""
    stop_loss_price: Decimal
    life: int
    """That of its portfolio when it was bought."""

    @property
    def is_unprotected(self) -> bool:
        """Whether it is held, and nothing but a take profit sells it."""
        return self.is_bought and not self.has_stop and self.bought_quantity > self.sold_quantity


class ChangedSignal(msgspec.Struct, frozen=True):
    """A signal of which something became, and whose it is."""

    id: UUID
    bot_id: UUID
    user_id: UUID | None
    execution_status: ExecutionStatus
    status_reason: str | None


class TradedBot(msgspec.Struct, frozen=True):
    """A bot of which an entry was filled or sold."""

    bot_id: UUID
    user_id: UUID
    status: BotStatus
    status_reason: str | None


class SignalFact(msgspec.Struct, frozen=True):
    """What `signal_stream` says of a signal: as it was then."""

    signal_id: UUID
    execution_status: ExecutionStatus
    status_reason: str | None


class BotFact(msgspec.Struct, frozen=True):
    """What `bot_stream` says of a bot: as it was then."""

    bot_id: UUID
    status: BotStatus
    status_reason: str | None


class BotLimitReached(Problem):
    """There can be no further bot."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"A user has at most {limit} bots.")
        self.limit = limit


class NoCandles(Problem):
    """There are no candles of a token to decide on."""

    field = "target_symbols"

    def __init__(self, symbol: str) -> None:
        super().__init__(f"There are no candles of {symbol}.")
        self.symbol = symbol


class BotIsActive(Problem):
    """The bot is active, and this can be changed only while it is not."""

    def __init__(self) -> None:
        super().__init__("Pause or stop the bot first.")


SIGNAL_CHANGED: Final = "signal"
BOT_CHANGED: Final = "bot"
BOT_TRADED: Final = "trade"
BOT_DELETED: Final = "deleted"


def signal_stream(bot_id: UUID) -> str:
    """The stream of the signals of a bot. Its facts are of the kind `signal` and carry a SignalFact; the last is of the
    kind `deleted`.
    """
    return f"signals:{bot_id}"


def bot_stream(user_id: UUID) -> str:
    """The stream of the bots of a user. Its facts carry a BotFact: of the kind `bot` where the status or what it is set
    to has changed, `trade` where an entry or an exit was filled, `deleted` at its end.
    """
    return f"bots:{user_id}"

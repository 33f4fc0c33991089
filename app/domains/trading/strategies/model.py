"""What the strategies of bots are given, and what they decide.

Prices and amounts are in dollars, percentages in percent.

A strategy is a pure function of a window of closed candles, of what the bot holds, of its own state and of its
configuration. It says nothing about how much may be spent: that is `rules/sizing`.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from app.domains.market.analysis.rules.series import Series
from app.domains.market.prices.model import PRICE_LIMIT, Interval

WINDOW_CANDLES: Final = 200
"""The candles that a strategy sees, at most. Indicators begin with the oldest of them, so that the same candles always
give the same numbers, however many are stored."""
MIN_PERIOD: Final = 2
MAX_PERIOD: Final = WINDOW_CANDLES // 2
"""An ADX needs twice its period; no other indicator needs more than a candle above it."""
MIN_AMOUNT_USD: Final = Decimal(1)
MAX_AMOUNT_USD: Final = Decimal(1_000_000)
MIN_EVERY_CANDLES: Final = 1
MAX_EVERY_CANDLES: Final = 43_200
"""Thirty days of minutes."""
MIN_PERCENTAGE: Final = Decimal("0.01")
MAX_PERCENTAGE: Final = Decimal(50)
MIN_LEVELS: Final = 2
MAX_LEVELS: Final = 50
MIN_STEP_PERCENTAGE: Final = Decimal("0.1")
"""Between two levels of a grid: nearer ones earn less than any fee, and their prices could be the same."""
MIN_PRICE: Final = Decimal("0.000000000001")
MAX_PRICE: Final = PRICE_LIMIT - MIN_PRICE
MIN_OVERBOUGHT: Final = Decimal(50)
MAX_OVERBOUGHT: Final = Decimal(99)
MIN_OVERSOLD: Final = Decimal(1)
MAX_OVERSOLD: Final = Decimal(50)
MIN_DEVIATIONS: Final = Decimal("0.5")
MAX_DEVIATIONS: Final = Decimal(5)
MIN_VOLUME_RATIO: Final = Decimal("0.1")
MAX_VOLUME_RATIO: Final = Decimal(20)
MIN_ADX: Final = Decimal(1)
MAX_ADX: Final = Decimal(99)
MIN_STRENGTH: Final = 1
MAX_STRENGTH: Final = 200

AMOUNT_DECIMALS: Final = 8
PRICE_DECIMALS: Final = 12
NUMBER_DECIMALS: Final = 4
"""Of percentages, ratios and the values of indicators."""


class Strategy(StrEnum):
    """What a bot decides by."""

    DCA = "dca"
    GRID = "grid"
    MOMENTUM = "momentum"
    MEAN_REVERSION = "mean_reversion"
    SCALPING = "scalping"
    ARBITRAGE = "arbitrage"
    TREND_FOLLOWING = "trend_following"
    BREAKOUT = "breakout"
    PATTERN_RECOGNITION = "pattern_recognition"


class SignalType(StrEnum):
    """What a strategy advises. SELL: everything that the bot holds of the token."""

    BUY = "BUY"
    SELL = "SELL"
    HOLD = "HOLD"


class RiskLevel(StrEnum):
    """How much of the largest position one entry may be: a quarter, a half, all."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Dca(msgspec.Struct, frozen=True, kw_only=True, tag="dca"):
    """Dollar-cost averaging: buys for the same amount in regular intervals, whatever the price."""

    amount_usd: Decimal = Decimal(100)
    every_candles: int = 24


class Grid(msgspec.Struct, frozen=True, kw_only=True, tag="grid"):
    """Buys one slot at each level but the highest that the price falls to, and sells it one level higher.

    The levels are equally far apart in ratio, between the bounds; without bounds they are `range_percentage` around the
    first price. They are kept until the bot is configured anew.
    """

    lower_price: Decimal | None = None
    upper_price: Decimal | None = None
    range_percentage: Decimal = Decimal(10)
    levels: int = 10


class Momentum(msgspec.Struct, frozen=True, kw_only=True, tag="momentum"):
    """Buys what has risen, and sells when it stops rising."""

    period: int = 12
    threshold_percentage: Decimal = Decimal(2)
    rsi_period: int = 14
    overbought: Decimal = Decimal(80)


class MeanReversion(msgspec.Struct, frozen=True, kw_only=True, tag="mean_reversion"):
    """Buys far below the average, and sells at the average."""

    period: int = 20
    deviations: Decimal = Decimal(2)
    rsi_period: int = 14
    oversold: Decimal = Decimal(30)


class Scalping(msgspec.Struct, frozen=True, kw_only=True, tag="scalping"):
    """Trades crossings of two fast averages, and buys only on volume above its average."""

    fast_period: int = 5
    slow_period: int = 13
    volume_ratio: Decimal = Decimal("1.2")


class Arbitrage(msgspec.Struct, frozen=True, kw_only=True, tag="arbitrage"):
    """Buys while another exchange pays more, and sells once the two agree."""

    entry_spread_percentage: Decimal = Decimal("0.5")
    exit_spread_percentage: Decimal = Decimal("0.1")


class TrendFollowing(msgspec.Struct, frozen=True, kw_only=True, tag="trend_following"):
    """Holds while a fast average is above a slow one in a strong trend."""

    fast_period: int = 20
    slow_period: int = 50
    adx_period: int = 14
    least_adx: Decimal = Decimal(25)


class Breakout(msgspec.Struct, frozen=True, kw_only=True, tag="breakout"):
    """Buys above the highest price of a channel, and sells below the lowest of a shorter one."""

    entry_period: int = 20
    exit_period: int = 10
    atr_period: int = 14
    least_atr_percentage: Decimal = Decimal("0.1")


class PatternRecognition(msgspec.Struct, frozen=True, kw_only=True, tag="pattern_recognition"):
    """Trades candlestick patterns as TA-Lib recognizes them, in the direction of the trend before."""

    least_strength: int = 100
    """Of the pattern as TA-Lib says it: 100, 80 for some that fit less well, or 200 for a confirmed one."""
    trend_period: int = 20


Config: TypeAlias = (
    Dca | Grid | Momentum | MeanReversion | Scalping | Arbitrage | TrendFollowing | Breakout | PatternRecognition
)
"""The configuration of a strategy, which says which one it is."""


class Bounds(NamedTuple):
    """What a field can be, both ends included."""

    least: Decimal | int
    most: Decimal | int
    decimals: int = NUMBER_DECIMALS


POSITION_USD: Final = Decimal(1_000)
STOP_LOSS_PERCENTAGE: Final = Decimal("5.00")
TAKE_PROFIT_PERCENTAGE: Final = Decimal("10.00")
"""What a bot is set to, or one that is simulated, where nothing is said."""
MAX_POSITION_USD: Final = Decimal(1_000_000)
MAX_TAKE_PROFIT_PERCENTAGE: Final = Decimal("500.00")
MAX_COOL_DOWN_MS: Final = 7 * 24 * 3600 * 1000
BOT_BOUNDS: Final[Mapping[str, Bounds]] = MappingProxyType(
    {
        "max_position_usd": Bounds(Decimal(1), MAX_POSITION_USD, 8),
        "stop_loss_percentage": Bounds(Decimal("0.01"), Decimal("99.99"), 2),
        "take_profit_percentage": Bounds(Decimal("0.01"), MAX_TAKE_PROFIT_PERCENTAGE, 2),
        "daily_loss_limit_usd": Bounds(Decimal(1), MAX_POSITION_USD, 8),
    }
)
"""What every bot can be set to, whatever its strategy, and every bot that is simulated."""

_PERIOD: Final = Bounds(MIN_PERIOD, MAX_PERIOD, 0)
_PERCENTAGE: Final = Bounds(MIN_PERCENTAGE, MAX_PERCENTAGE)
_PRICE: Final = Bounds(MIN_PRICE, MAX_PRICE, PRICE_DECIMALS)

BOUNDS: Final[Mapping[type[Config], Mapping[str, Bounds]]] = MappingProxyType(
    {
        Dca: {
            "amount_usd": Bounds(MIN_AMOUNT_USD, MAX_AMOUNT_USD, AMOUNT_DECIMALS),
            "every_candles": Bounds(MIN_EVERY_CANDLES, MAX_EVERY_CANDLES, 0),
        },
        Grid: {
            "lower_price": _PRICE,
            "upper_price": _PRICE,
            "range_percentage": _PERCENTAGE,
            "levels": Bounds(MIN_LEVELS, MAX_LEVELS, 0),
        },
        Momentum: {
            "period": _PERIOD,
            "threshold_percentage": _PERCENTAGE,
            "rsi_period": _PERIOD,
            "overbought": Bounds(MIN_OVERBOUGHT, MAX_OVERBOUGHT),
        },
        MeanReversion: {
            "period": _PERIOD,
            "deviations": Bounds(MIN_DEVIATIONS, MAX_DEVIATIONS),
            "rsi_period": _PERIOD,
            "oversold": Bounds(MIN_OVERSOLD, MAX_OVERSOLD),
        },
        Scalping: {
            "fast_period": _PERIOD,
            "slow_period": _PERIOD,
            "volume_ratio": Bounds(MIN_VOLUME_RATIO, MAX_VOLUME_RATIO),
        },
        Arbitrage: {"entry_spread_percentage": _PERCENTAGE, "exit_spread_percentage": _PERCENTAGE},
        TrendFollowing: {
            "fast_period": _PERIOD,
            "slow_period": _PERIOD,
            "adx_period": _PERIOD,
            "least_adx": Bounds(MIN_ADX, MAX_ADX),
        },
        Breakout: {
            "entry_period": _PERIOD,
            "exit_period": _PERIOD,
            "atr_period": _PERIOD,
            "least_atr_percentage": _PERCENTAGE,
        },
        PatternRecognition: {
            "least_strength": Bounds(MIN_STRENGTH, MAX_STRENGTH, 0),
            "trend_period": _PERIOD,
        },
    }
)
"""Of every field of every configuration."""


def config_of(stored: Mapping[str, Any]) -> Config:
    """A configuration as it is stored. Settings that are newer than it have their usual value."""
    config: Config = msgspec.convert(stored, Config, strict=False)
    return config


def stored_config(config: Config) -> dict[str, Any]:
    """A configuration as it is to be stored: with its type, and amounts as text."""
    stored: dict[str, Any] = msgspec.to_builtins(config)
    return stored


class DcaState(msgspec.Struct, frozen=True, tag="dca"):
    """When it last decided to buy: the end of that candle."""

    bought_at: datetime


class GridState(msgspec.Struct, frozen=True, tag="grid"):
    """The levels, rising, and the price that it saw last."""

    levels: tuple[Decimal, ...]
    price: Decimal


State: TypeAlias = DcaState | GridState
"""What a strategy remembers of a token from one candle to the next. The others remember nothing."""


class Entry(msgspec.Struct, frozen=True):
    """Coins that a bot bought and still holds."""

    quantity: Decimal
    price: Decimal
    """The average price that was paid, without fees."""
    opened_at: datetime
    slot: int | None = None
    """The level of a grid that it was bought at, from 0."""


class ExchangePrice(msgspec.Struct, frozen=True):
    """What another exchange pays for a token."""

    exchange: str
    bid: Decimal
    ask: Decimal


class Window(msgspec.Struct, frozen=True):
    """What a strategy sees of a token: at most WINDOW_CANDLES closed candles, oldest first, at least one."""

    symbol: str
    interval: Interval
    series: Series
    closed_at: datetime
    """The end of the last candle."""
    price: Decimal
    """The last close."""
    elsewhere: ExchangePrice | None = None
    """The price on a second exchange. Null: only one exchange quotes the token."""


class Slot(msgspec.Struct, frozen=True):
    """A slot of a grid that is to be bought: an entry of its own."""

    number: int
    """Its level, from 0: `Entry.slot`."""
    take_profit_price: Decimal
    """The next level. It is above the last close."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy decides at the end of a candle."""

    type: SignalType
    confidence: int
    """From 1 to 100."""
    reasoning: str
    """Why, in English: one or two sentences with the numbers that decided."""
    indicators: dict[str, float] = {}
    """What was computed, by name in camelCase. What cannot be computed is left out."""
    state: State | None = None
    """What it is given with the next candle, whether or not anything is bought. Null: it remembers nothing."""
    slots: tuple[Slot, ...] = ()
    """Of a grid that buys: what to buy, the highest level first. Other strategies buy one entry."""
    amount_usd: Decimal | None = None
    """What an entry is to cost, where the strategy says so. Null: as `sizing` says."""

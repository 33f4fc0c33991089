"""Strategies and how they are configured. Their formulas are in docs/strategies.md."""

from decimal import Decimal
from typing import Annotated, Any, TypeAlias

import strawberry

from app.domains.trading.strategies import model
from app.domains.trading.strategies.model import RiskLevel, SignalType, Strategy
from app.engine.declarations.nodes import record_type
from app.schema.enums import declare_enum

__all__ = ["RiskLevel", "SignalType", "Strategy", "StrategyConfig", "StrategyInput"]

declare_enum(
    Strategy,
    name="TradingStrategy",
    DCA="Dollar-cost averaging: buys for the same amount in regular intervals, whatever the price.",
    GRID="Buys one slot at each level that the price falls through, and sells it one level higher.",
    MOMENTUM="Buys what has risen, and sells when it stops rising.",
    MEAN_REVERSION="Buys far below the average, and sells at the average.",
    SCALPING="Trades crossings of two fast averages while volume is above its average.",
    ARBITRAGE="Buys while another exchange pays more, and sells once the two agree.",
    TREND_FOLLOWING="Holds while a fast average is above a slow one in a strong trend.",
    BREAKOUT="Buys above the highest price of a channel, and sells below the lowest of a shorter one.",
    PATTERN_RECOGNITION="Trades candlestick patterns as TA-Lib recognizes them.",
)
declare_enum(
    SignalType,
    description="What a strategy advises.",
    BUY="To buy.",
    SELL="To sell everything that the bot holds of the token.",
    HOLD="To do nothing.",
)
declare_enum(
    RiskLevel,
    description="How much of the largest position one entry can be.",
    LOW="A quarter.",
    MEDIUM="Half.",
    HIGH="All.",
)

# What each setting is: of the type, which always has it, and of the input.
_DCA_AMOUNT_USD = "What each purchase costs, in dollars: 1 to 1,000,000, with at most 8 decimals."
_DCA_EVERY_CANDLES = "How many candles lie between two purchases, 1 to 43,200."
_GRID_LOWER_PRICE = "The lowest level, in dollars for a coin, with at most 12 decimals."
_GRID_UPPER_PRICE = "The highest level, in dollars for a coin, with at most 12 decimals."
_GRID_RANGE_PERCENTAGE = (
    "Without bounds: how far the levels reach above and below the first price, in percent, 0.01 to 50."
)
_GRID_LEVELS = "The number of levels, 2 to 50, each at least 0.1% above the one below."
_MOMENTUM_PERIOD = "Over how many candles the rate of change is measured, 2 to 100."
_MOMENTUM_THRESHOLD_PERCENTAGE = "The rate of change from which it buys, in percent, 0.01 to 50."
_MOMENTUM_RSI_PERIOD = "The period of the relative strength index, in candles, 2 to 100."
_MOMENTUM_OVERBOUGHT = "The relative strength index above which it sells, 50 to 99."
_MEAN_REVERSION_PERIOD = "Over how many candles the average is taken, 2 to 100."
_MEAN_REVERSION_DEVIATIONS = "How many standard deviations the lower band is below the average, 0.5 to 5."
_MEAN_REVERSION_RSI_PERIOD = "The period of the relative strength index, in candles, 2 to 100."
_MEAN_REVERSION_OVERSOLD = "The relative strength index below which it buys, 1 to 50."
_SCALPING_FAST_PERIOD = "The period of the fast average, in candles, 2 to 100."
_SCALPING_SLOW_PERIOD = "The period of the slow average, in candles, 2 to 100; longer than the fast one."
_SCALPING_VOLUME_RATIO = "How many times its average the volume has to be, 0.1 to 20."
_ARBITRAGE_ENTRY_SPREAD_PERCENTAGE = "How much more the other exchange has to pay, in percent, 0.01 to 50."
_ARBITRAGE_EXIT_SPREAD_PERCENTAGE = (
    "The difference below which it sells, in percent, 0.01 to 50; less than the one it buys at."
)
_TREND_FOLLOWING_FAST_PERIOD = "The period of the fast average, in candles, 2 to 100."
_TREND_FOLLOWING_SLOW_PERIOD = "The period of the slow average, in candles, 2 to 100; longer than the fast one."
_TREND_FOLLOWING_ADX_PERIOD = "The period of the average directional index, in candles, 2 to 100."
_TREND_FOLLOWING_LEAST_ADX = "The average directional index from which it buys, 1 to 99."
_BREAKOUT_ENTRY_PERIOD = "The candles of the channel that it buys above, 2 to 100."
_BREAKOUT_EXIT_PERIOD = "The candles of the channel that it sells below, 2 to 100; not more than of the other."
_BREAKOUT_ATR_PERIOD = "The period of the average true range, in candles, 2 to 100."
_BREAKOUT_LEAST_ATR_PERCENTAGE = "The average true range from which it buys, in percent of the price, 0.01 to 50."
_PATTERN_RECOGNITION_LEAST_STRENGTH = (
    "The strength from which a pattern counts, 1 to 200: 100 for a pattern, 200 for a confirmed one."
)
_PATTERN_RECOGNITION_TREND_PERIOD = "The candles of the average that says the trend before, 2 to 100."


@record_type(model.Dca)
class DcaStrategy:
    """Dollar-cost averaging: buys for the same amount in regular intervals, whatever the price."""

    amount_usd: Decimal = strawberry.field(description=_DCA_AMOUNT_USD)
    every_candles: int = strawberry.field(description=_DCA_EVERY_CANDLES)


@record_type(model.Grid)
class GridStrategy:
    """Buys one slot at each level that the price falls through, and sells it one level higher."""

    lower_price: Decimal | None = strawberry.field(
        name="lowerPriceUsd", description=_GRID_LOWER_PRICE + " Null: by the range."
    )
    upper_price: Decimal | None = strawberry.field(
        name="upperPriceUsd", description=_GRID_UPPER_PRICE + " Null: by the range."
    )
    range_percentage: float = strawberry.field(description=_GRID_RANGE_PERCENTAGE)
    levels: int = strawberry.field(description=_GRID_LEVELS)


@record_type(model.Momentum)
class MomentumStrategy:
    """Buys what has risen, and sells when it stops rising."""

    period: int = strawberry.field(description=_MOMENTUM_PERIOD)
    threshold_percentage: float = strawberry.field(description=_MOMENTUM_THRESHOLD_PERCENTAGE)
    rsi_period: int = strawberry.field(description=_MOMENTUM_RSI_PERIOD)
    overbought: float = strawberry.field(description=_MOMENTUM_OVERBOUGHT)


@record_type(model.MeanReversion)
class MeanReversionStrategy:
    """Buys far below the average, and sells at the average."""

    period: int = strawberry.field(description=_MEAN_REVERSION_PERIOD)
    deviations: float = strawberry.field(description=_MEAN_REVERSION_DEVIATIONS)
    rsi_period: int = strawberry.field(description=_MEAN_REVERSION_RSI_PERIOD)
    oversold: float = strawberry.field(description=_MEAN_REVERSION_OVERSOLD)


@record_type(model.Scalping)
class ScalpingStrategy:
    """Trades crossings of two fast averages while volume is above its average."""

    fast_period: int = strawberry.field(description=_SCALPING_FAST_PERIOD)
    slow_period: int = strawberry.field(description=_SCALPING_SLOW_PERIOD)
    volume_ratio: Decimal = strawberry.field(description=_SCALPING_VOLUME_RATIO)


@record_type(model.Arbitrage)
class ArbitrageStrategy:
    """Buys while another exchange pays more, and sells once the two agree. Where only one exchange quotes a token, it
    only says so.
    """

    entry_spread_percentage: float = strawberry.field(description=_ARBITRAGE_ENTRY_SPREAD_PERCENTAGE)
    exit_spread_percentage: float = strawberry.field(description=_ARBITRAGE_EXIT_SPREAD_PERCENTAGE)


@record_type(model.TrendFollowing)
class TrendFollowingStrategy:
    """Holds while a fast average is above a slow one in a strong trend."""

    fast_period: int = strawberry.field(description=_TREND_FOLLOWING_FAST_PERIOD)
    slow_period: int = strawberry.field(description=_TREND_FOLLOWING_SLOW_PERIOD)
    adx_period: int = strawberry.field(description=_TREND_FOLLOWING_ADX_PERIOD)
    least_adx: float = strawberry.field(name="minAdx", description=_TREND_FOLLOWING_LEAST_ADX)


@record_type(model.Breakout)
class BreakoutStrategy:
    """Buys above the highest price of a channel, and sells below the lowest of a shorter one."""

    entry_period: int = strawberry.field(description=_BREAKOUT_ENTRY_PERIOD)
    exit_period: int = strawberry.field(description=_BREAKOUT_EXIT_PERIOD)
    atr_period: int = strawberry.field(description=_BREAKOUT_ATR_PERIOD)
    least_atr_percentage: float = strawberry.field(name="minAtrPercentage", description=_BREAKOUT_LEAST_ATR_PERCENTAGE)


@record_type(model.PatternRecognition)
class PatternRecognitionStrategy:
    """Trades candlestick patterns as TA-Lib recognizes them."""

    least_strength: int = strawberry.field(name="minStrength", description=_PATTERN_RECOGNITION_LEAST_STRENGTH)
    trend_period: int = strawberry.field(description=_PATTERN_RECOGNITION_TREND_PERIOD)


StrategyConfig: TypeAlias = Annotated[
    DcaStrategy
    | GridStrategy
    | MomentumStrategy
    | MeanReversionStrategy
    | ScalpingStrategy
    | ArbitrageStrategy
    | TrendFollowingStrategy
    | BreakoutStrategy
    | PatternRecognitionStrategy,
    strawberry.union("StrategyConfig", description="A strategy, and how it is configured."),
]


@strawberry.input
class DcaStrategyInput:
    """Configures dollar-cost averaging. A field that is null or omitted has its usual value."""

    amount_usd: Decimal | None = strawberry.field(default=None, description=_DCA_AMOUNT_USD + " Null: 100.")
    every_candles: int | None = strawberry.field(default=None, description=_DCA_EVERY_CANDLES + " Null: 24.")


@strawberry.input
class GridStrategyInput:
    """Configures a grid of levels. A field that is null or omitted has its usual value."""

    lower_price: Decimal | None = strawberry.field(
        name="lowerPriceUsd", default=None, description=_GRID_LOWER_PRICE + " Null: by the range."
    )
    upper_price: Decimal | None = strawberry.field(
        name="upperPriceUsd", default=None, description=_GRID_UPPER_PRICE + " Null: by the range."
    )
    range_percentage: float | None = strawberry.field(default=None, description=_GRID_RANGE_PERCENTAGE + " Null: 10.")
    levels: int | None = strawberry.field(default=None, description=_GRID_LEVELS + " Null: 10.")


@strawberry.input
class MomentumStrategyInput:
    """Configures momentum. A field that is null or omitted has its usual value."""

    period: int | None = strawberry.field(default=None, description=_MOMENTUM_PERIOD + " Null: 12.")
    threshold_percentage: float | None = strawberry.field(
        default=None, description=_MOMENTUM_THRESHOLD_PERCENTAGE + " Null: 2."
    )
    rsi_period: int | None = strawberry.field(default=None, description=_MOMENTUM_RSI_PERIOD + " Null: 14.")
    overbought: float | None = strawberry.field(default=None, description=_MOMENTUM_OVERBOUGHT + " Null: 80.")


@strawberry.input
class MeanReversionStrategyInput:
    """Configures return to the mean. A field that is null or omitted has its usual value."""

    period: int | None = strawberry.field(default=None, description=_MEAN_REVERSION_PERIOD + " Null: 20.")
    deviations: float | None = strawberry.field(default=None, description=_MEAN_REVERSION_DEVIATIONS + " Null: 2.")
    rsi_period: int | None = strawberry.field(default=None, description=_MEAN_REVERSION_RSI_PERIOD + " Null: 14.")
    oversold: float | None = strawberry.field(default=None, description=_MEAN_REVERSION_OVERSOLD + " Null: 30.")


@strawberry.input
class ScalpingStrategyInput:
    """Configures scalping. A field that is null or omitted has its usual value."""

    fast_period: int | None = strawberry.field(default=None, description=_SCALPING_FAST_PERIOD + " Null: 5.")
    slow_period: int | None = strawberry.field(default=None, description=_SCALPING_SLOW_PERIOD + " Null: 13.")
    volume_ratio: Decimal | None = strawberry.field(default=None, description=_SCALPING_VOLUME_RATIO + " Null: 1.2.")


@strawberry.input
class ArbitrageStrategyInput:
    """Configures arbitrage between two exchanges. A field that is null or omitted has its usual value."""

    entry_spread_percentage: float | None = strawberry.field(
        default=None, description=_ARBITRAGE_ENTRY_SPREAD_PERCENTAGE + " Null: 0.5."
    )
    exit_spread_percentage: float | None = strawberry.field(
        default=None, description=_ARBITRAGE_EXIT_SPREAD_PERCENTAGE + " Null: 0.1."
    )


@strawberry.input
class TrendFollowingStrategyInput:
    """Configures following a trend. A field that is null or omitted has its usual value."""

    fast_period: int | None = strawberry.field(default=None, description=_TREND_FOLLOWING_FAST_PERIOD + " Null: 20.")
    slow_period: int | None = strawberry.field(default=None, description=_TREND_FOLLOWING_SLOW_PERIOD + " Null: 50.")
    adx_period: int | None = strawberry.field(default=None, description=_TREND_FOLLOWING_ADX_PERIOD + " Null: 14.")
    least_adx: float | None = strawberry.field(
        name="minAdx", default=None, description=_TREND_FOLLOWING_LEAST_ADX + " Null: 25."
    )


@strawberry.input
class BreakoutStrategyInput:
    """Configures breaking out of a channel. A field that is null or omitted has its usual value."""

    entry_period: int | None = strawberry.field(default=None, description=_BREAKOUT_ENTRY_PERIOD + " Null: 20.")
    exit_period: int | None = strawberry.field(default=None, description=_BREAKOUT_EXIT_PERIOD + " Null: 10.")
    atr_period: int | None = strawberry.field(default=None, description=_BREAKOUT_ATR_PERIOD + " Null: 14.")
    least_atr_percentage: float | None = strawberry.field(
        name="minAtrPercentage", default=None, description=_BREAKOUT_LEAST_ATR_PERCENTAGE + " Null: 0.1."
    )


@strawberry.input
class PatternRecognitionStrategyInput:
    """Configures candlestick patterns. A field that is null or omitted has its usual value."""

    least_strength: int | None = strawberry.field(
        name="minStrength", default=None, description=_PATTERN_RECOGNITION_LEAST_STRENGTH + " Null: 100."
    )
    trend_period: int | None = strawberry.field(
        default=None, description=_PATTERN_RECOGNITION_TREND_PERIOD + " Null: 20."
    )


@strawberry.input(one_of=True)
class StrategyInput:
    """A strategy, and how it is configured. Set exactly one field."""

    dca: DcaStrategyInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="Dollar-cost averaging: buys for the same amount in regular intervals, whatever the price.",
    )
    grid: GridStrategyInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="Buys one slot at each level that the price falls through, and sells it one level higher.",
    )
    momentum: MomentumStrategyInput | None = strawberry.field(
        default=strawberry.UNSET, description="Buys what has risen, and sells when it stops rising."
    )
    mean_reversion: MeanReversionStrategyInput | None = strawberry.field(
        default=strawberry.UNSET, description="Buys far below the average, and sells at the average."
    )
    scalping: ScalpingStrategyInput | None = strawberry.field(
        default=strawberry.UNSET, description="Trades crossings of two fast averages while volume is above its average."
    )
    arbitrage: ArbitrageStrategyInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="Buys while another exchange pays more, and sells once the two agree.",
    )
    trend_following: TrendFollowingStrategyInput | None = strawberry.field(
        default=strawberry.UNSET, description="Holds while a fast average is above a slow one in a strong trend."
    )
    breakout: BreakoutStrategyInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="Buys above the highest price of a channel, and sells below the lowest of a shorter one.",
    )
    pattern_recognition: PatternRecognitionStrategyInput | None = strawberry.field(
        default=strawberry.UNSET, description="Trades candlestick patterns as TA-Lib recognizes them."
    )

    def config(self) -> model.Config:
        """The configuration of the field that is set."""
        [(name, given)] = [(name, each) for name, each in vars(self).items() if each]
        config: model.Config = _CONFIGS[name](**_given(given))
        return config


def _given(settings: object) -> dict[str, Any]:
    """What is set, with numbers as they were written."""
    return {
        name: Decimal(str(value)) if isinstance(value, float) else value
        for name, value in vars(settings).items()
        if value is not None
    }


_CONFIGS: dict[str, Any] = {
    "dca": model.Dca,
    "grid": model.Grid,
    "momentum": model.Momentum,
    "mean_reversion": model.MeanReversion,
    "scalping": model.Scalping,
    "arbitrage": model.Arbitrage,
    "trend_following": model.TrendFollowing,
    "breakout": model.Breakout,
    "pattern_recognition": model.PatternRecognition,
}

"""Strategies and how they are configured. Their formulas are in docs/strategies.md."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Final, TypeAlias, cast, get_args

import strawberry

from app.domains.trading.strategies import model
from app.domains.trading.strategies.model import BOUNDS, MIN_STEP_PERCENTAGE, RiskLevel, SignalType, Strategy
from app.engine.declarations.descriptions import described
from app.engine.declarations.nodes import record_type
from app.schema.enums import declare_enum
from app.schema.numbers import exact

__all__ = ["RiskLevel", "SignalType", "Strategy", "StrategyConfig", "StrategyInput"]

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

_ABOUT: Final[Mapping[type[model.Config], Mapping[str, str]]] = MappingProxyType(
    {
        model.Dca: {
            "amount_usd": "What each purchase costs, in dollars: {range}, {decimals}.",
            "every_candles": "How many candles lie between two purchases, {range}.",
        },
        model.Grid: {
            "lower_price": "The lowest level, in dollars for a coin, {decimals}.",
            "upper_price": "The highest level, in dollars for a coin, {decimals}.",
            "range_percentage": "Without bounds: how far the levels reach above and below the first price, in percent,"
            " {range}.",
            "levels": "The number of levels, {range}, each at least {step} above the one below.",
        },
        model.Momentum: {
            "period": "Over how many candles the rate of change is measured, {range}.",
            "threshold_percentage": "The rate of change above which it buys, in percent, {range}.",
            "rsi_period": "The period of the relative strength index, in candles, {range}.",
            "overbought": "The relative strength index above which it sells, {range}.",
        },
        model.MeanReversion: {
            "period": "Over how many candles the average is taken, {range}.",
            "deviations": "How many standard deviations the lower band is below the average, {range}.",
            "rsi_period": "The period of the relative strength index, in candles, {range}.",
            "oversold": "The relative strength index below which it buys, {range}.",
        },
        model.Scalping: {
            "fast_period": "The period of the fast average, in candles, {range}.",
            "slow_period": "The period of the slow average, in candles, {range}; longer than the fast one.",
            "volume_ratio": "How many times its average the volume has to be, {range}.",
        },
        model.Arbitrage: {
            "entry_spread_percentage": "How much more the other exchange has to pay, in percent, {range}.",
            "exit_spread_percentage": "The difference below which it sells, in percent, {range}; less than the one"
            " it buys at.",
        },
        model.TrendFollowing: {
            "fast_period": "The period of the fast average, in candles, {range}.",
            "slow_period": "The period of the slow average, in candles, {range}; longer than the fast one.",
            "adx_period": "The period of the average directional index, in candles, {range}.",
            "least_adx": "The average directional index from which it buys, {range}.",
        },
        model.Breakout: {
            "entry_period": "The candles of the channel that it buys above, {range}.",
            "exit_period": "The candles of the channel that it sells below, {range}; not more than of the other.",
            "atr_period": "The period of the average true range, in candles, {range}.",
            "least_atr_percentage": "The average true range from which it buys, in percent of the price, {range}.",
        },
        model.PatternRecognition: {
            "least_strength": "The strength from which a pattern counts, {range}: 100 for a pattern, 200 for a"
            " confirmed one.",
            "trend_period": "The candles of the average that says the trend before, {range}.",
        },
    }
)
"""What each setting is. Its bounds, decimals and usual value are those by which it is checked."""


def _sentence(kind: type[model.Config], field: str) -> str:
    bounds = BOUNDS[kind][field]
    return _ABOUT[kind][field].format(
        range=f"{Decimal(bounds.least):,f} to {Decimal(bounds.most):,f}",
        decimals=f"with at most {bounds.decimals} decimals",
        step=f"{MIN_STEP_PERCENTAGE:f}%",
    )


def _setting(kind: type[model.Config], field: str, name: str | None = None) -> Any:
    """A field with a setting."""
    null = " Null: by the range." if getattr(kind(), field) is None else ""
    return strawberry.field(name=name, description=_sentence(kind, field) + null)


def _choice(kind: type[model.Config], field: str, name: str | None = None) -> Any:
    """A field of an input that sets it; null leaves the usual value."""
    usual = getattr(kind(), field)
    null = "by the range" if usual is None else f"{usual:,}"
    return strawberry.field(name=name, default=None, description=f"{_sentence(kind, field)} Null: {null}.")


@record_type(model.Dca)
class DcaStrategy:
    """Dollar-cost averaging: buys for the same amount in regular intervals, whatever the price."""

    amount_usd: Decimal = _setting(model.Dca, "amount_usd")
    every_candles: int = _setting(model.Dca, "every_candles")


@record_type(model.Grid)
class GridStrategy:
    """Buys one slot at each level that the price falls through, and sells it one level higher."""

    lower_price: Decimal | None = _setting(model.Grid, "lower_price", name="lowerPriceUsd")
    upper_price: Decimal | None = _setting(model.Grid, "upper_price", name="upperPriceUsd")
    range_percentage: float = _setting(model.Grid, "range_percentage")
    levels: int = _setting(model.Grid, "levels")


@record_type(model.Momentum)
class MomentumStrategy:
    """Buys what has risen, and sells when it stops rising."""

    period: int = _setting(model.Momentum, "period")
    threshold_percentage: float = _setting(model.Momentum, "threshold_percentage")
    rsi_period: int = _setting(model.Momentum, "rsi_period")
    overbought: float = _setting(model.Momentum, "overbought")


@record_type(model.MeanReversion)
class MeanReversionStrategy:
    """Buys far below the average, and sells at the average."""

    period: int = _setting(model.MeanReversion, "period")
    deviations: float = _setting(model.MeanReversion, "deviations")
    rsi_period: int = _setting(model.MeanReversion, "rsi_period")
    oversold: float = _setting(model.MeanReversion, "oversold")


@record_type(model.Scalping)
class ScalpingStrategy:
    """Trades crossings of two fast averages while volume is above its average."""

    fast_period: int = _setting(model.Scalping, "fast_period")
    slow_period: int = _setting(model.Scalping, "slow_period")
    volume_ratio: Decimal = _setting(model.Scalping, "volume_ratio")


@record_type(model.Arbitrage)
class ArbitrageStrategy:
    """Buys while another exchange pays more, and sells once the two agree. Where only one exchange quotes a token, it
    only says so.
    """

    entry_spread_percentage: float = _setting(model.Arbitrage, "entry_spread_percentage")
    exit_spread_percentage: float = _setting(model.Arbitrage, "exit_spread_percentage")


@record_type(model.TrendFollowing)
class TrendFollowingStrategy:
    """Holds while a fast average is above a slow one in a strong trend."""

    fast_period: int = _setting(model.TrendFollowing, "fast_period")
    slow_period: int = _setting(model.TrendFollowing, "slow_period")
    adx_period: int = _setting(model.TrendFollowing, "adx_period")
    least_adx: float = _setting(model.TrendFollowing, "least_adx", name="minAdx")


@record_type(model.Breakout)
class BreakoutStrategy:
    """Buys above the highest price of a channel, and sells below the lowest of a shorter one."""

    entry_period: int = _setting(model.Breakout, "entry_period")
    exit_period: int = _setting(model.Breakout, "exit_period")
    atr_period: int = _setting(model.Breakout, "atr_period")
    least_atr_percentage: float = _setting(model.Breakout, "least_atr_percentage", name="minAtrPercentage")


@record_type(model.PatternRecognition)
class PatternRecognitionStrategy:
    """Trades candlestick patterns as TA-Lib recognizes them."""

    least_strength: int = _setting(model.PatternRecognition, "least_strength", name="minStrength")
    trend_period: int = _setting(model.PatternRecognition, "trend_period")


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


def _about(strategy: type) -> str:
    return cast(str, described(strategy))


declare_enum(
    Strategy,
    name="TradingStrategy",
    DCA=_about(DcaStrategy),
    GRID=_about(GridStrategy),
    MOMENTUM=_about(MomentumStrategy),
    MEAN_REVERSION=_about(MeanReversionStrategy),
    SCALPING=_about(ScalpingStrategy),
    ARBITRAGE=_about(ArbitrageStrategy),
    TREND_FOLLOWING=_about(TrendFollowingStrategy),
    BREAKOUT=_about(BreakoutStrategy),
    PATTERN_RECOGNITION=_about(PatternRecognitionStrategy),
)


@strawberry.input
class DcaStrategyInput:
    """Configures dollar-cost averaging. A field that is null or omitted has its usual value."""

    amount_usd: Decimal | None = _choice(model.Dca, "amount_usd")
    every_candles: int | None = _choice(model.Dca, "every_candles")


@strawberry.input
class GridStrategyInput:
    """Configures a grid of levels. A field that is null or omitted has its usual value."""

    lower_price: Decimal | None = _choice(model.Grid, "lower_price", name="lowerPriceUsd")
    upper_price: Decimal | None = _choice(model.Grid, "upper_price", name="upperPriceUsd")
    range_percentage: float | None = _choice(model.Grid, "range_percentage")
    levels: int | None = _choice(model.Grid, "levels")


@strawberry.input
class MomentumStrategyInput:
    """Configures momentum. A field that is null or omitted has its usual value."""

    period: int | None = _choice(model.Momentum, "period")
    threshold_percentage: float | None = _choice(model.Momentum, "threshold_percentage")
    rsi_period: int | None = _choice(model.Momentum, "rsi_period")
    overbought: float | None = _choice(model.Momentum, "overbought")


@strawberry.input
class MeanReversionStrategyInput:
    """Configures return to the mean. A field that is null or omitted has its usual value."""

    period: int | None = _choice(model.MeanReversion, "period")
    deviations: float | None = _choice(model.MeanReversion, "deviations")
    rsi_period: int | None = _choice(model.MeanReversion, "rsi_period")
    oversold: float | None = _choice(model.MeanReversion, "oversold")


@strawberry.input
class ScalpingStrategyInput:
    """Configures scalping. A field that is null or omitted has its usual value."""

    fast_period: int | None = _choice(model.Scalping, "fast_period")
    slow_period: int | None = _choice(model.Scalping, "slow_period")
    volume_ratio: Decimal | None = _choice(model.Scalping, "volume_ratio")


@strawberry.input
class ArbitrageStrategyInput:
    """Configures arbitrage between two exchanges. A field that is null or omitted has its usual value."""

    entry_spread_percentage: float | None = _choice(model.Arbitrage, "entry_spread_percentage")
    exit_spread_percentage: float | None = _choice(model.Arbitrage, "exit_spread_percentage")


@strawberry.input
class TrendFollowingStrategyInput:
    """Configures following a trend. A field that is null or omitted has its usual value."""

    fast_period: int | None = _choice(model.TrendFollowing, "fast_period")
    slow_period: int | None = _choice(model.TrendFollowing, "slow_period")
    adx_period: int | None = _choice(model.TrendFollowing, "adx_period")
    least_adx: float | None = _choice(model.TrendFollowing, "least_adx", name="minAdx")


@strawberry.input
class BreakoutStrategyInput:
    """Configures breaking out of a channel. A field that is null or omitted has its usual value."""

    entry_period: int | None = _choice(model.Breakout, "entry_period")
    exit_period: int | None = _choice(model.Breakout, "exit_period")
    atr_period: int | None = _choice(model.Breakout, "atr_period")
    least_atr_percentage: float | None = _choice(model.Breakout, "least_atr_percentage", name="minAtrPercentage")


@strawberry.input
class PatternRecognitionStrategyInput:
    """Configures candlestick patterns. A field that is null or omitted has its usual value."""

    least_strength: int | None = _choice(model.PatternRecognition, "least_strength", name="minStrength")
    trend_period: int | None = _choice(model.PatternRecognition, "trend_period")


def _option(strategy: type) -> Any:
    return strawberry.field(default=strawberry.UNSET, description=_about(strategy))


_CONFIGS: Final[Mapping[str, Any]] = {str(kind.__struct_config__.tag): kind for kind in get_args(model.Config)}


@strawberry.input(one_of=True)
class StrategyInput:
    """A strategy, and how it is configured. Set exactly one field."""

    dca: DcaStrategyInput | None = _option(DcaStrategy)
    grid: GridStrategyInput | None = _option(GridStrategy)
    momentum: MomentumStrategyInput | None = _option(MomentumStrategy)
    mean_reversion: MeanReversionStrategyInput | None = _option(MeanReversionStrategy)
    scalping: ScalpingStrategyInput | None = _option(ScalpingStrategy)
    arbitrage: ArbitrageStrategyInput | None = _option(ArbitrageStrategy)
    trend_following: TrendFollowingStrategyInput | None = _option(TrendFollowingStrategy)
    breakout: BreakoutStrategyInput | None = _option(BreakoutStrategy)
    pattern_recognition: PatternRecognitionStrategyInput | None = _option(PatternRecognitionStrategy)

    def config(self) -> model.Config:
        """The configuration of the field that is set."""
        [(name, given)] = [(name, each) for name, each in vars(self).items() if each]
        settings = {each: exact(value) for each, value in vars(given).items() if value is not None}
        config: model.Config = _CONFIGS[name](**settings)
        return config

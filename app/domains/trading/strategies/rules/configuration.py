"""Whether a strategy can be configured so."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Final, NamedTuple

from app.domains.market.prices.model import PRICE_LIMIT
from app.domains.trading.strategies.model import (
    WINDOW_CANDLES,
    Arbitrage,
    Breakout,
    Config,
    Dca,
    Grid,
    MeanReversion,
    Momentum,
    PatternRecognition,
    Scalping,
    TrendFollowing,
)
from app.kit.errors import Faults

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


class Bounds(NamedTuple):
    """What a field can be, both ends included."""

    least: Decimal | int
    most: Decimal | int
    decimals: int = NUMBER_DECIMALS


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
_OPTIONAL: Final = frozenset({"lower_price", "upper_price"})


def check_config(config: Config) -> None:
    """Raises InvalidInput, which names every field that is out of bounds or does not fit another."""
    with Faults() as faults:
        for name, bounds in BOUNDS[type(config)].items():
            value = getattr(config, name)
            if value is not None or name not in _OPTIONAL:
                _check_number(faults, name, value, bounds)
        if faults:
            return
        match config:
            case Scalping() | TrendFollowing():
                if config.fast_period >= config.slow_period:
                    faults.add("fast_period", "The fast period is shorter than the slow one.")
            case Breakout():
                if config.exit_period > config.entry_period:
                    faults.add("exit_period", "The exit period is not longer than the entry period.")
            case Arbitrage():
                if config.exit_spread_percentage >= config.entry_spread_percentage:
                    faults.add("exit_spread_percentage", "The exit spread is below the entry spread.")
            case MeanReversion():
                _check_deviations(faults, config)
            case Grid():
                _check_grid(faults, config)
            case _:
                pass


def _check_number(faults: Faults, name: str, value: Decimal | int, bounds: Bounds) -> None:
    # Compared only if it is finite: a NaN cannot be.
    if not Decimal(value).is_finite() or not bounds.least <= value <= bounds.most:
        faults.add(name, f"It must be from {Decimal(bounds.least):,f} to {Decimal(bounds.most):,f}.")
    elif Fraction(value) * 10**bounds.decimals % 1:
        faults.add(name, f"It can have at most {bounds.decimals} decimals.")


def _check_deviations(faults: Faults, config: MeanReversion) -> None:
    """No value is further from an average that it is part of than the root of their number less one."""
    if config.deviations**2 >= config.period - 1:
        faults.add("deviations", f"No close is that far from an average of {config.period} candles.")


def _check_grid(faults: Faults, config: Grid) -> None:
    lower, upper = config.lower_price, config.upper_price
    if lower is None and upper is None:
        part = Fraction(config.range_percentage) / 100
        span = (1 + part) / (1 - part)
    elif lower is None or upper is None:
        faults.add("lower_price" if lower is None else "upper_price", "Give both bounds of a grid, or none.")
        return
    elif lower >= upper:
        faults.add("lower_price", "The lower price is below the upper price.")
        return
    else:
        span = Fraction(upper) / Fraction(lower)
    if span < (1 + Fraction(MIN_STEP_PERCENTAGE) / 100) ** (config.levels - 1):
        faults.add("levels", f"So many levels are less than {MIN_STEP_PERCENTAGE}% apart.")

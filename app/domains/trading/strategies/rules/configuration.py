"""Whether a strategy can be configured so."""

from decimal import Decimal
from fractions import Fraction
from typing import Final

from app.domains.trading.strategies.model import (
    BOUNDS,
    MIN_STEP_PERCENTAGE,
    Arbitrage,
    Bounds,
    Breakout,
    Config,
    Grid,
    MeanReversion,
    Scalping,
    TrendFollowing,
)
from app.kit.errors import Faults

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

"""Any configuration that is accepted, of every strategy."""

from typing import Final, get_args

import msgspec
from hypothesis import strategies as st

from app.domains.trading.strategies.model import (
    BOUNDS,
    Bounds,
    Breakout,
    Config,
    MeanReversion,
    Momentum,
    PatternRecognition,
    Scalping,
    TrendFollowing,
)
from app.domains.trading.strategies.rules import (
    breakout,
    mean_reversion,
    momentum,
    pattern_recognition,
    scalping,
    trend_following,
)
from app.domains.trading.strategies.rules.configuration import check_config
from app.kit.errors import InvalidInput

KINDS: Final[tuple[type[Config], ...]] = get_args(Config)


def candles_needed(config: Config) -> int:
    """The closed candles without which a strategy only holds."""
    match config:
        case Momentum():
            return momentum.candles_needed(config)
        case MeanReversion():
            return mean_reversion.candles_needed(config)
        case Scalping():
            return scalping.candles_needed(config)
        case TrendFollowing():
            return trend_following.candles_needed(config)
        case Breakout():
            return breakout.candles_needed(config)
        case PatternRecognition():
            return pattern_recognition.candles_needed(config)
        case _:
            return 1


def values(bounds: Bounds) -> st.SearchStrategy[object]:
    if not bounds.decimals:
        return st.integers(int(bounds.least), int(bounds.most))
    return st.decimals(bounds.least, bounds.most, places=bounds.decimals)


def is_accepted(config: Config) -> bool:
    try:
        check_config(config)
    except InvalidInput:
        return False
    return True


def configs(kind: type[Config]) -> st.SearchStrategy[Config]:
    """Configurations of a strategy; each field is now and then left at its default."""
    fields = {name: values(bounds) for name, bounds in BOUNDS[kind].items()}
    return (
        st.fixed_dictionaries({}, optional=fields)
        .map(lambda given: msgspec.structs.replace(kind(), **given))
        .filter(is_accepted)
    )

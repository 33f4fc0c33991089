"""What a strategy decides: one entrance for all nine."""

from collections.abc import Sequence
from typing import assert_never

from app.domains.trading.strategies.model import (
    Arbitrage,
    Breakout,
    Config,
    Dca,
    Decision,
    Entry,
    Grid,
    MeanReversion,
    Momentum,
    PatternRecognition,
    Scalping,
    State,
    TrendFollowing,
    Window,
)
from app.domains.trading.strategies.rules import (
    arbitrage,
    breakout,
    dca,
    grid,
    mean_reversion,
    momentum,
    pattern_recognition,
    scalping,
    trend_following,
)
from app.domains.trading.strategies.rules.measures import latest


def decide(config: Config, window: Window, entries: Sequence[Entry], state: State | None) -> Decision:
    """What a strategy decides at the end of the last candle, with what the bot holds of the token.

    Candles before the last WINDOW_CANDLES change nothing. A state of another strategy is none.
    """
    window = latest(window)
    match config:
        case Dca():
            return dca.decide(config, window, entries, state)
        case Grid():
            return grid.decide(config, window, entries, state)
        case Momentum():
            return momentum.decide(config, window, entries, state)
        case MeanReversion():
            return mean_reversion.decide(config, window, entries, state)
        case Scalping():
            return scalping.decide(config, window, entries, state)
        case Arbitrage():
            return arbitrage.decide(config, window, entries, state)
        case TrendFollowing():
            return trend_following.decide(config, window, entries, state)
        case Breakout():
            return breakout.decide(config, window, entries, state)
        case PatternRecognition():
            return pattern_recognition.decide(config, window, entries, state)
        case _:
            assert_never(config)

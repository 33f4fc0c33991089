"""Breakout: buys above the highest price of a channel, and sells below the lowest of a shorter one.

Formula: Donchian channels of the candles before the last one. ATR is Wilder's average true range of `atr_period`. BUY
if the close is above the highest high of the `entry_period` candles before and ATR is at least `least_atr_percentage`
of the close. SELL if the close is below the lowest low of the `exit_period` candles before.

Source: Richard Donchian's four-week rule, with the entry and exit of the first system of the Turtles (20 and 10 days),
as in Curtis Faith, "Way of the Turtle" (2007); J. Welles Wilder, "New Concepts in Technical Trading Systems" (1978),
for the ATR.

Defaults: 20 candles in, 10 out; ATR of 14 candles from 0.1 %. Bounds: periods 2 to 100, the exit's not longer than the
entry's; 0.01 to 50 %.

Confidence: one unit is the ATR.
"""

from collections.abc import Sequence

from app.domains.trading.strategies.model import Breakout, Decision, Entry, SignalType, State, Window
from app.domains.trading.strategies.rules.advice import hold, number, signal, too_few, usd
from app.domains.trading.strategies.rules.measures import atr, ratio


def candles_needed(config: Breakout) -> int:
    """The candles that its indicators need."""
    return max(config.entry_period, config.exit_period, config.atr_period) + 1


def decide(config: Breakout, window: Window, entries: Sequence[Entry], _state: State | None) -> Decision:
    """Buys a new high in a market that moves; sells at a new low."""
    series = window.series
    if lacking := too_few(series, candles_needed(config)):
        return lacking
    close = float(series.close[-1])
    highest = float(series.high[-1 - config.entry_period : -1].max())
    lowest = float(series.low[-1 - config.exit_period : -1].min())
    spread, least = atr(series, config.atr_period), float(config.least_atr_percentage)
    percent = ratio(100 * spread / close)
    indicators = {"highestHigh": highest, "lowestLow": lowest, "atr": spread, "atrPercentage": percent}
    if entries:
        low = f"the lowest of {config.exit_period} candles before, {usd(lowest)}"
        if close < lowest:
            # A close below a low has moved, so that there is a range.
            reasoning = f"The close of {usd(close)} is below {low}."
            return signal(SignalType.SELL, (lowest - close) / spread, reasoning, indicators)
        return hold(f"The close of {usd(close)} is not below {low}.", indicators)
    high = f"the highest of {config.entry_period} candles before, {usd(highest)}"
    if close <= highest:
        return hold(f"The close of {usd(close)} is not above {high}.", indicators)
    swing = f"the average range is {number(percent)}% of the price"
    if percent < least:
        return hold(f"The close of {usd(close)} is above {high}, but {swing}, less than {number(least)}%.", indicators)
    reasoning = f"The close of {usd(close)} is above {high}, and {swing}, at least {number(least)}%."
    return signal(SignalType.BUY, (close - highest) / spread, reasoning, indicators)

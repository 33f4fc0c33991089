"""Scalping: trades the crossings of two fast averages.

Formula: two exponential averages of the closes, of `fast_period` and `slow_period`. BUY if the fast one is above the
slow one at the last candle and was not at the one before, and the volume of the last candle is more than `volume_ratio`
times the average of the `slow_period` candles before it. SELL if the fast one is below the slow one at the last candle
and was not at the one before; leaving does not wait for volume. Averages that differ by less than a billionth of the
price are equal.

A crossing while the bot is off is missed; what it holds then is left by its take profit, its stop loss, or the next
crossing.

Source: the common definition of a crossover of exponential averages, with a filter of volume.

Defaults: 5 and 13 candles, 1.2 times the average volume. Bounds: periods 2 to 100, the fast one shorter; ratio 0.1 to
20.

Confidence: one unit is `volume_ratio`, for purchases and sales.
"""

import math
from collections.abc import Sequence

from app.domains.trading.strategies.model import Decision, Entry, Scalping, SignalType, State, Window
from app.domains.trading.strategies.rules.advice import hold, number, signal, too_few, usd
from app.domains.trading.strategies.rules.measures import ema, exceeds, volume_ratio


def candles_needed(config: Scalping) -> int:
    """The candles that its indicators need."""
    return config.slow_period + 1


def decide(config: Scalping, window: Window, entries: Sequence[Entry], _state: State | None) -> Decision:
    """Buys an upward crossing with volume; sells at a downward one."""
    if lacking := too_few(window.series, candles_needed(config)):
        return lacking
    (fast_before, fast), (slow_before, slow) = (
        ema(window.series, period)[-2:].tolist() for period in (config.fast_period, config.slow_period)
    )
    close_before, close = window.series.close[-2:].tolist()
    volume, least = volume_ratio(window.series, config.slow_period), float(config.volume_ratio)
    indicators = {"emaFast": fast, "emaSlow": slow, "volumeRatio": volume}
    averages = (
        f"the average of {config.fast_period} candles, {usd(fast)}, and that of {config.slow_period}, {usd(slow)}"
    )
    traded = f"the volume is {number(volume)} times its average" if volume < math.inf else "there was no volume before"
    if entries:
        if exceeds(slow, fast, close) and not exceeds(slow_before, fast_before, close_before):
            reasoning = f"The faster of {averages}, crossed below the slower; {traded}."
            return signal(SignalType.SELL, volume / least - 1, reasoning, indicators)
        return hold(f"Of {averages}, the faster did not cross below.", indicators)
    if not exceeds(fast, slow, close) or exceeds(fast_before, slow_before, close_before):
        return hold(f"Of {averages}, the faster did not cross above.", indicators)
    if volume <= least:
        return hold(
            f"The faster of {averages}, crossed above, but {traded}, not more than {number(least)}.", indicators
        )
    reasoning = f"The faster of {averages}, crossed above the slower; {traded}, more than {number(least)}."
    return signal(SignalType.BUY, volume / least - 1, reasoning, indicators)

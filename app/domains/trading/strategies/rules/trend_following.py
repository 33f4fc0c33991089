"""Trend following: holds while a fast average is above a slow one, in a strong trend.

Formula: two exponential averages of the closes, of `fast_period` and `slow_period`; ADX is Wilder's average directional
index of `adx_period`. BUY if the fast average is above the slow one and ADX >= `least_adx`. SELL if the fast average is
below the slow one. Averages that differ by less than a billionth of the price are equal. A price that stands still
throughout the period of the ADX has none, and is not bought.

Source: J. Welles Wilder, "New Concepts in Technical Trading Systems" (1978), for the ADX, and the common definition of
a crossover of averages; William Brock, Josef Lakonishok and Blake LeBaron, "Simple Technical Trading Rules and the
Stochastic Properties of Stock Returns", Journal of Finance 47 (1992), test such rules.

Defaults: 20 and 50 candles; ADX of 14 candles from 25. Bounds: periods 2 to 100, the fast one shorter; ADX 1 to 99.

Confidence: one unit is `least_adx` for a purchase, and one percent between the averages for a sale.
"""

from collections.abc import Sequence

from app.domains.trading.strategies.model import Decision, Entry, SignalType, State, TrendFollowing, Window
from app.domains.trading.strategies.rules.advice import hold, number, signal, too_few, usd
from app.domains.trading.strategies.rules.measures import adx, ema, exceeds


def candles_needed(config: TrendFollowing) -> int:
    """The candles that its indicators need."""
    return max(config.slow_period, 2 * config.adx_period)


def decide(config: TrendFollowing, window: Window, entries: Sequence[Entry], _state: State | None) -> Decision:
    """Buys a strong upward trend; sells when it turns."""
    series = window.series
    if lacking := too_few(series, candles_needed(config)):
        return lacking
    fast, slow = (float(ema(series, period)[-1]) for period in (config.fast_period, config.slow_period))
    strength, close, least = adx(series, config.adx_period), float(series.close[-1]), float(config.least_adx)
    indicators = {"emaFast": fast, "emaSlow": slow, "adx": strength}
    fast_is = f"The average of {config.fast_period} candles, {usd(fast)},"
    of_slow = f"that of {config.slow_period}, {usd(slow)}"
    if entries:
        if exceeds(slow, fast, close):
            reasoning = f"{fast_is} is below {of_slow}: the trend has turned."
            return signal(SignalType.SELL, 100 * (slow - fast) / slow, reasoning, indicators)
        return hold(f"{fast_is} is not below {of_slow}: the trend lasts.", indicators)
    if not exceeds(fast, slow, close):
        return hold(f"{fast_is} is not above {of_slow}.", indicators)
    if strength is None:
        return hold(f"{fast_is} is above {of_slow}, but the price stands still.", indicators)
    if strength < least:
        reasoning = f"{fast_is} is above {of_slow}, but the ADX of {number(strength)} is below {number(least)}."
        return hold(reasoning, indicators)
    reasoning = f"{fast_is} is above {of_slow}, and the ADX of {number(strength)} is at least {number(least)}."
    return signal(SignalType.BUY, strength / least - 1, reasoning, indicators)

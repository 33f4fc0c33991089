"""Momentum: buys what has risen, and sells when it stops rising.

Formula: the rate of change ROC is 100 (close / close `period` candles before - 1), and RSI is Wilder's relative
strength index of `rsi_period`. BUY if ROC > `threshold_percentage` and RSI < `overbought`. SELL if ROC < 0 or
RSI > `overbought`. A price that stood still throughout the period of the RSI has none, and is not bought.

Source: Narasimhan Jegadeesh and Sheridan Titman, "Returns to Buying Winners and Selling Losers", Journal of Finance 48
(1993), for the effect; J. Welles Wilder, "New Concepts in Technical Trading Systems" (1978), for the RSI.

Defaults: ROC of 12 candles above 2 %; RSI of 14 candles, overbought at 80. Bounds: periods 2 to 100; 0.01 to 50 %;
overbought 50 to 99.

Confidence: one unit is the threshold of the ROC; of a SELL by RSI, what is left from `overbought` to 100.
"""

from collections.abc import Sequence

from app.domains.trading.strategies.model import Decision, Entry, Momentum, SignalType, State, Window
from app.domains.trading.strategies.rules.advice import hold, number, signal, too_few
from app.domains.trading.strategies.rules.measures import rate_of_change, rsi


def candles_needed(config: Momentum) -> int:
    """The candles that its indicators need."""
    return max(config.period, config.rsi_period) + 1


def decide(config: Momentum, window: Window, entries: Sequence[Entry], _state: State | None) -> Decision:
    """Buys a strong rise that is not overbought; sells when it is over or overbought."""
    if lacking := too_few(window.series, candles_needed(config)):
        return lacking
    rate, strength = rate_of_change(window.series, config.period), rsi(window.series, config.rsi_period)
    threshold, overbought = float(config.threshold_percentage), float(config.overbought)
    indicators = {"rateOfChangePercentage": rate, "rsi": strength}
    moved = f"Over {config.period} candles the price changed by {number(rate)}%"
    if entries:
        if strength is not None and strength > overbought:
            excess = max((strength - overbought) / (100 - overbought), -rate / threshold)
            reasoning = f"{moved}; the RSI of {number(strength)} is above {number(overbought)}: overbought."
            return signal(SignalType.SELL, excess, reasoning, indicators)
        if rate < 0:
            return signal(SignalType.SELL, -rate / threshold, f"{moved}: the rise is over.", indicators)
        return hold(f"{moved}: the rise is not over.", indicators)
    if rate <= threshold:
        return hold(f"{moved}, which is not above {number(threshold)}%.", indicators)
    if strength is None:
        return hold(f"{moved}, but not in the last {config.rsi_period}.", indicators)
    if strength >= overbought:
        return hold(f"{moved}, but the RSI of {number(strength)} is not below {number(overbought)}.", indicators)
    reasoning = (
        f"{moved}, more than {number(threshold)}%, and the RSI of {number(strength)} is below {number(overbought)}."
    )
    return signal(SignalType.BUY, rate / threshold - 1, reasoning, indicators)

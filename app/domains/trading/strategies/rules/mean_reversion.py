"""Mean reversion: buys far below the average, and sells at the average.

Formula: Bollinger bands: the middle is the simple average of the last `period` closes, the lower band is `deviations`
of their standard deviations (of the population) below it. RSI is Wilder's of `rsi_period`. BUY if the close is below
the lower band and RSI < `oversold`. SELL if the close is at or above the middle. Prices that stand still have no bands,
and are not bought.

A close can be at most sqrt(period - 1) deviations away from an average that it is part of: with a short period and
many deviations nothing is ever bought.

Source: John Bollinger, "Bollinger on Bollinger Bands" (2001); J. Welles Wilder, "New Concepts in Technical Trading
Systems" (1978), for the RSI.

Defaults: 20 candles, 2 deviations; RSI of 14 candles, oversold at 30. Bounds: periods 2 to 100; 0.5 to 5 deviations;
oversold 1 to 50.

Confidence: one unit is `deviations`.
"""

from collections.abc import Sequence

from app.domains.trading.strategies.model import Decision, Entry, MeanReversion, SignalType, State, Window
from app.domains.trading.strategies.rules.advice import hold, number, signal, too_few, usd
from app.domains.trading.strategies.rules.measures import deviation, mean, ratio, rsi


def candles_needed(config: MeanReversion) -> int:
    """The candles that its indicators need."""
    return max(config.period, config.rsi_period + 1)


def decide(config: MeanReversion, window: Window, entries: Sequence[Entry], _state: State | None) -> Decision:
    """Buys below the lower band if oversold; sells from the middle band on."""
    if lacking := too_few(window.series, candles_needed(config)):
        return lacking
    closes = window.series.close[-config.period :]
    close, middle, spread = float(closes[-1]), mean(closes), deviation(closes)
    strength = rsi(window.series, config.rsi_period)
    away, oversold = float(config.deviations), float(config.oversold)
    indicators = {
        "middleBand": middle,
        "lowerBand": None if spread is None else middle - away * spread,
        "upperBand": None if spread is None else middle + away * spread,
        "rsi": strength,
    }
    distance = 0.0 if spread is None else ratio((close - middle) / spread)
    where = f"The close of {usd(close)} is {number(abs(distance))} deviations"
    if entries:
        if close >= middle:
            reasoning = f"{where} above the average of {config.period} candles, {usd(middle)}: it has returned."
            return signal(SignalType.SELL, distance / away, reasoning, indicators)
        return hold(f"{where} below the average of {config.period} candles, {usd(middle)}.", indicators)
    if spread is None:
        return hold(f"The price has not moved in {config.period} candles: there are no bands.", indicators)
    if distance >= -away:
        side = "below" if distance < 0 else "above"
        return hold(f"{where} {side} the average, and not more than {number(away)} below it.", indicators)
    if strength is None or strength >= oversold:
        # A close below a band has moved; without an RSI it has not within the RSI's own period.
        rest = "it has not moved since" if strength is None else f"the RSI of {number(strength)} is not oversold"
        return hold(f"{where} below the average of {usd(middle)}, but {rest}.", indicators)
    reasoning = (
        f"{where} below the average of {usd(middle)}, more than {number(away)}, and the RSI of {number(strength)} is "
        f"below {number(oversold)}."
    )
    return signal(SignalType.BUY, -distance / away - 1, reasoning, indicators)

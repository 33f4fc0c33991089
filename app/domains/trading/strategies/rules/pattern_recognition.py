"""Pattern recognition: trades candlestick patterns, in the direction that they mean after the trend before.

Formula: the patterns that TA-Lib finds complete at the last candle, of its 30 last candles, with a strength (the
absolute value that TA-Lib gives: 100, 200 where it is confirmed, 80 for some that fit less well) of at least
`least_strength`. The trend is down where the close is below the simple average of the last `trend_period` closes, and
up where it is above. BUY on a bullish reversal in a downward trend, or on a bullish continuation in an upward one.
SELL on any bearish pattern, whatever the trend. Where both are complete, a bearish one that would sell keeps from
buying. A candle without a range completes no pattern.

Patterns without a direction (dojis, spinning tops and the like, and single long or short lines) count for nothing; so
does the gravestone doji, which TA-Lib marks the same at a top and at a bottom.

Source: TA-Lib's functions CDL...; Gregory Morris, "Candlestick Charting Explained" (1995), for which patterns reverse a
trend and which continue it; Steve Nison, "Japanese Candlestick Charting Techniques" (1991).

Defaults: strength from 100; average of 20 candles. Bounds: strength 1 to 200; period 2 to 100.

Confidence: one unit is `least_strength`; what counts is the sum of the strengths of the patterns, less one unit.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from app.domains.market.analysis.rules.patterns import NAMES
from app.domains.trading.strategies.model import Decision, Entry, PatternRecognition, SignalType, State, Window
from app.domains.trading.strategies.rules.advice import hold, signal, too_few, usd
from app.domains.trading.strategies.rules.marks import bearish_at_end, bullish_at_end
from app.domains.trading.strategies.rules.measures import exceeds, mean

WITHOUT_DIRECTION: Final = frozenset(
    {
        "CDLDOJI",
        "CDLGRAVESTONEDOJI",
        "CDLHIGHWAVE",
        "CDLLONGLEGGEDDOJI",
        "CDLLONGLINE",
        "CDLRICKSHAWMAN",
        "CDLSHORTLINE",
        "CDLSPINNINGTOP",
    }
)
CONTINUATIONS: Final = (
    "CDL3LINESTRIKE",
    "CDLCLOSINGMARUBOZU",
    "CDLGAPSIDESIDEWHITE",
    "CDLINNECK",
    "CDLMARUBOZU",
    "CDLMATHOLD",
    "CDLONNECK",
    "CDLRISEFALL3METHODS",
    "CDLSEPARATINGLINES",
    "CDLTASUKIGAP",
    "CDLTHRUSTING",
    "CDLXSIDEGAP3METHODS",
)
DIRECTED: Final = tuple(name for name in NAMES if name not in WITHOUT_DIRECTION)
REVERSALS: Final = tuple(name for name in DIRECTED if name not in CONTINUATIONS)

_LONGEST: Final = 15
"""The candles of the longest pattern, with those that its averages are of."""


def candles_needed(config: PatternRecognition) -> int:
    """The candles that its indicators need."""
    return max(config.trend_period, _LONGEST)


def decide(config: PatternRecognition, window: Window, entries: Sequence[Entry], _state: State | None) -> Decision:
    """Buys after a bullish pattern that fits the trend; sells after a bearish one."""
    series = window.series
    if lacking := too_few(series, candles_needed(config)):
        return lacking
    least, close, average = config.least_strength, float(series.close[-1]), mean(series.close[-config.trend_period :])
    is_down, is_up = exceeds(average, close, close), exceeds(close, average, close)
    side = "below" if is_down else "above" if is_up else "at"
    where = f"The close of {usd(close)} is {side} the average of {config.trend_period} candles, {usd(average)}"
    if entries:
        bearish = _strong(bearish_at_end(series, DIRECTED), least)
        if not bearish:
            return hold(f"{where}, and no bearish pattern is complete.", {"sma": average})
        reasoning = f"Bearish at the last candle: {_listed(bearish)}. {where}."
        return signal(SignalType.SELL, _excess(bearish, least), reasoning, _indicators(average, bearish, -1))
    fitting, kind = (REVERSALS, "reversal") if is_down else (CONTINUATIONS if is_up else (), "continuation")
    bullish = _strong(bullish_at_end(series, fitting), least)
    if not bullish:
        return hold(f"{where}, and no bullish {kind} is complete.", {"sma": average})
    bearish = _strong(bearish_at_end(series, DIRECTED), least)
    if bearish:
        reasoning = f"Bullish at the last candle: {_listed(bullish)}; but bearish: {_listed(bearish)}."
        return hold(reasoning, _indicators(average, bullish, 1) | _indicators(average, bearish, -1))
    reasoning = f"Bullish {kind} at the last candle: {_listed(bullish)}. {where}."
    return signal(SignalType.BUY, _excess(bullish, least), reasoning, _indicators(average, bullish, 1))


def _strong(strengths: Mapping[str, int], least: int) -> dict[str, int]:
    return {name: strength for name, strength in strengths.items() if strength >= least}


def _excess(strengths: Mapping[str, int], least: int) -> float:
    return sum(strengths.values()) / least - 1


def _indicators(average: float, strengths: Mapping[str, int], sign: int) -> dict[str, float]:
    """The average, and by the name of each pattern its strength, below 0 where it is bearish."""
    return {"sma": average} | {_key(name): float(sign * strength) for name, strength in strengths.items()}


def _listed(functions: Iterable[str]) -> str:
    return ", ".join(sorted(NAMES[each] for each in functions))


def _key(function: str) -> str:
    """The name of a pattern in camelCase."""
    first, *others = re.findall(r"[a-z]+", NAMES[function].lower())
    return "".join((first, *(each.capitalize() for each in others)))

"""Candlestick patterns by TA-Lib, under the names that traders use."""

import numpy as np

from app.domains.market.analysis.model.technical import Pattern, PatternDirection
from app.domains.market.analysis.rules.dollars import moment
from app.domains.market.analysis.rules.series import Series

RECENT_CANDLES = 5

# Averages of the last 10 candles and patterns of up to 15: earlier candles change nothing.
_REACH = 60

NAMES = {
    "CDL2CROWS": "Two crows",
    "CDL3BLACKCROWS": "Three black crows",
    "CDL3INSIDE": "Three inside",
    "CDL3LINESTRIKE": "Three-line strike",
    "CDL3OUTSIDE": "Three outside",
    "CDL3STARSINSOUTH": "Three stars in the south",
    "CDL3WHITESOLDIERS": "Three white soldiers",
    "CDLABANDONEDBABY": "Abandoned baby",
    "CDLADVANCEBLOCK": "Advance block",
    "CDLBELTHOLD": "Belt hold",
    "CDLBREAKAWAY": "Breakaway",
    "CDLCLOSINGMARUBOZU": "Closing marubozu",
    "CDLCONCEALBABYSWALL": "Concealing baby swallow",
    "CDLCOUNTERATTACK": "Counterattack",
    "CDLDARKCLOUDCOVER": "Dark cloud cover",
    "CDLDOJI": "Doji",
    "CDLDOJISTAR": "Doji star",
    "CDLDRAGONFLYDOJI": "Dragonfly doji",
    "CDLENGULFING": "Engulfing",
    "CDLEVENINGDOJISTAR": "Evening doji star",
    "CDLEVENINGSTAR": "Evening star",
    "CDLGAPSIDESIDEWHITE": "Side-by-side white lines after a gap",
    "CDLGRAVESTONEDOJI": "Gravestone doji",
    "CDLHAMMER": "Hammer",
    "CDLHANGINGMAN": "Hanging man",
    "CDLHARAMI": "Harami",
    "CDLHARAMICROSS": "Harami cross",
    "CDLHIGHWAVE": "High wave",
    "CDLHIKKAKE": "Hikkake",
    "CDLHIKKAKEMOD": "Modified hikkake",
    "CDLHOMINGPIGEON": "Homing pigeon",
    "CDLIDENTICAL3CROWS": "Identical three crows",
    "CDLINNECK": "In-neck",
    "CDLINVERTEDHAMMER": "Inverted hammer",
    "CDLKICKING": "Kicking",
    "CDLKICKINGBYLENGTH": "Kicking, led by the longer marubozu",
    "CDLLADDERBOTTOM": "Ladder bottom",
    "CDLLONGLEGGEDDOJI": "Long-legged doji",
    "CDLLONGLINE": "Long line",
    "CDLMARUBOZU": "Marubozu",
    "CDLMATCHINGLOW": "Matching low",
    "CDLMATHOLD": "Mat hold",
    "CDLMORNINGDOJISTAR": "Morning doji star",
    "CDLMORNINGSTAR": "Morning star",
    "CDLONNECK": "On-neck",
    "CDLPIERCING": "Piercing line",
    "CDLRICKSHAWMAN": "Rickshaw man",
    "CDLRISEFALL3METHODS": "Rising or falling three methods",
    "CDLSEPARATINGLINES": "Separating lines",
    "CDLSHOOTINGSTAR": "Shooting star",
    "CDLSHORTLINE": "Short line",
    "CDLSPINNINGTOP": "Spinning top",
    "CDLSTALLEDPATTERN": "Stalled pattern",
    "CDLSTICKSANDWICH": "Stick sandwich",
    "CDLTAKURI": "Takuri",
    "CDLTASUKIGAP": "Tasuki gap",
    "CDLTHRUSTING": "Thrusting",
    "CDLTRISTAR": "Tristar",
    "CDLUNIQUE3RIVER": "Unique three river",
    "CDLUPSIDEGAP2CROWS": "Upside gap two crows",
    "CDLXSIDEGAP3METHODS": "Three methods after a gap",
}
"""The functions of TA-Lib, and the pattern that each finds."""

# The sign of these is only the colour of the candle: they mean that buyers and sellers are balanced.
_UNDECIDED = {
    "CDLDOJI",
    "CDLHIGHWAVE",
    "CDLLONGLEGGEDDOJI",
    "CDLRICKSHAWMAN",
    "CDLSHORTLINE",
    "CDLSPINNINGTOP",
}


def patterns_in(series: Series) -> tuple[Pattern, ...]:
    """The patterns that one of the last RECENT_CANDLES candles completed, newest first, by name within a candle.

    A candle without a range completes none.
    """
    from app.domains.market.analysis.rules.talib_binding import talib

    if not len(series):
        return ()
    candles = tuple(prices[-_REACH:] for prices in (series.open, series.high, series.low, series.close))
    times = series.times[-_REACH:]
    moved = candles[1] > candles[2]
    found: list[Pattern] = []
    for function, name in NAMES.items():
        marks = getattr(talib, function)(*candles)
        found.extend(
            Pattern(name, _direction(function, int(marks[index])), moment(int(times[index])))
            for index in np.flatnonzero((marks != 0) & moved)
            if index >= len(times) - RECENT_CANDLES
        )
    return tuple(sorted(found, key=lambda pattern: (-pattern.opened_at.timestamp(), pattern.name)))


def _direction(function: str, mark: int) -> PatternDirection:
    if function in _UNDECIDED:
        return PatternDirection.UNDECIDED
    return PatternDirection.BULLISH if mark > 0 else PatternDirection.BEARISH

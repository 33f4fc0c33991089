"""What TA-Lib's candlestick functions mark the last candle of a series with, on one side: bullish, or bearish.

Most functions mark a candle only where the last candles have certain colours. Those that cannot are not called: it is
what takes the time. `test_marks.py` compares what they mark with these colours.
"""

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from app.domains.market.analysis.rules.series import Series

REACH: Final = 30
"""The candles that the functions are given: twice those of the longest pattern with its averages."""
ANY: Final = ""
BULLISH: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "CDL3INSIDE": ("b.w",),
        "CDL3LINESTRIKE": ("wwwb",),
        "CDL3OUTSIDE": ("bw.",),
        "CDL3STARSINSOUTH": ("bbb",),
        "CDL3WHITESOLDIERS": ("www",),
        "CDLABANDONEDBABY": ("b.w",),
        "CDLBELTHOLD": ("w",),
        "CDLBREAKAWAY": ("bb.bw",),
        "CDLCLOSINGMARUBOZU": ("w",),
        "CDLCONCEALBABYSWALL": ("bbbb",),
        "CDLCOUNTERATTACK": ("bw",),
        "CDLDOJISTAR": ("b.",),
        "CDLDRAGONFLYDOJI": (ANY,),
        "CDLENGULFING": ("bw",),
        "CDLGAPSIDESIDEWHITE": ("ww",),
        "CDLHAMMER": (ANY,),
        "CDLHARAMI": ("b.",),
        "CDLHARAMICROSS": ("b.",),
        "CDLHIKKAKE": (ANY,),
        "CDLHIKKAKEMOD": (ANY,),
        "CDLHOMINGPIGEON": ("bb",),
        "CDLINVERTEDHAMMER": (ANY,),
        "CDLKICKING": ("bw",),
        "CDLKICKINGBYLENGTH": ("bw", "wb"),
        "CDLLADDERBOTTOM": ("bbbbw",),
        "CDLMARUBOZU": ("w",),
        "CDLMATCHINGLOW": ("bb",),
        "CDLMATHOLD": ("wb..w",),
        "CDLMORNINGDOJISTAR": ("b.w",),
        "CDLMORNINGSTAR": ("b.w",),
        "CDLPIERCING": ("bw",),
        "CDLRISEFALL3METHODS": ("wbbbw",),
        "CDLSEPARATINGLINES": ("bw",),
        "CDLSTICKSANDWICH": ("bwb",),
        "CDLTAKURI": (ANY,),
        "CDLTASUKIGAP": ("wb",),
        "CDLTRISTAR": (ANY,),
        "CDLUNIQUE3RIVER": ("bbw",),
        "CDLXSIDEGAP3METHODS": ("wwb",),
    }
)
"""The colours of the last candles where a function may mark with more than 0: white closes at its open or above, black
below, a dot is either. Functions that are missing never do.
"""
BEARISH: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "CDL2CROWS": ("wbb",),
        "CDL3BLACKCROWS": ("wbbb",),
        "CDL3INSIDE": ("w.b",),
        "CDL3LINESTRIKE": ("bbbw",),
        "CDL3OUTSIDE": ("wb.",),
        "CDLABANDONEDBABY": ("w.b",),
        "CDLADVANCEBLOCK": ("www",),
        "CDLBELTHOLD": ("b",),
        "CDLBREAKAWAY": ("ww.wb",),
        "CDLCLOSINGMARUBOZU": ("b",),
        "CDLCOUNTERATTACK": ("wb",),
        "CDLDARKCLOUDCOVER": ("wb",),
        "CDLDOJISTAR": ("w.",),
        "CDLENGULFING": ("wb",),
        "CDLEVENINGDOJISTAR": ("w.b",),
        "CDLEVENINGSTAR": ("w.b",),
        "CDLGAPSIDESIDEWHITE": ("ww",),
        "CDLHANGINGMAN": (ANY,),
        "CDLHARAMI": ("w.",),
        "CDLHARAMICROSS": ("w.",),
        "CDLHIKKAKE": (ANY,),
        "CDLHIKKAKEMOD": (ANY,),
        "CDLIDENTICAL3CROWS": ("bbb",),
        "CDLINNECK": ("bw",),
        "CDLKICKING": ("wb",),
        "CDLKICKINGBYLENGTH": ("bw", "wb"),
        "CDLMARUBOZU": ("b",),
        "CDLONNECK": ("bw",),
        "CDLRISEFALL3METHODS": ("bwwwb",),
        "CDLSEPARATINGLINES": ("wb",),
        "CDLSHOOTINGSTAR": (ANY,),
        "CDLSTALLEDPATTERN": ("www",),
        "CDLTASUKIGAP": ("bw",),
        "CDLTHRUSTING": ("bw",),
        "CDLTRISTAR": (ANY,),
        "CDLUPSIDEGAP2CROWS": ("wbb",),
        "CDLXSIDEGAP3METHODS": ("bbw",),
    }
)
"""The same where a function may mark with less than 0."""

_SEEN: Final = 5
"""The candles whose colours any function looks at."""
_Function: TypeAlias = Callable[..., Any]


def bullish_at_end(series: Series, functions: tuple[str, ...]) -> dict[str, int]:
    """What these functions mark the last candle with above 0, where they do."""
    return {name: mark for name, mark in _marks(series, functions, is_bullish=True) if mark > 0}


def bearish_at_end(series: Series, functions: tuple[str, ...]) -> dict[str, int]:
    """How far below 0 these functions mark the last candle, where they do."""
    return {name: -mark for name, mark in _marks(series, functions, is_bullish=False) if mark < 0}


def may_mark(wanted: tuple[str, ...], colours: str) -> bool:
    """Whether candles end in one of these rows of colours."""
    return any(
        all(one in (".", other) for one, other in zip(reversed(row), reversed(colours), strict=False)) for row in wanted
    )


def _marks(series: Series, functions: tuple[str, ...], *, is_bullish: bool) -> list[tuple[str, int]]:
    if series.high[-1] <= series.low[-1]:
        return []
    colours = tuple((series.close[-_SEEN:] >= series.open[-_SEEN:]).tolist())
    candles = series.open[-REACH:], series.high[-REACH:], series.low[-REACH:], series.close[-REACH:]
    return [(name, int(function(*candles)[-1])) for name, function in _called(functions, colours, is_bullish)]


@cache
def _called(functions: tuple[str, ...], whites: tuple[bool, ...], is_bullish: bool) -> list[tuple[str, _Function]]:
    from app.domains.market.analysis.rules.talib_binding import talib

    rows = BULLISH if is_bullish else BEARISH
    colours = "".join("w" if white else "b" for white in whites)
    names = [name for name in functions if name in rows and may_mark(rows[name], colours)]
    return [(name, getattr(talib, name)) for name in names]

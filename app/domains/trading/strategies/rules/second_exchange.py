"""The second exchange of the simulated market: what it pays is a function of the first one's candles.

It is one candle behind: its middle is the close of the candle before the last, times 1 plus a difference. The
difference is drawn: at each multiple of DRAW_CANDLES candles since 1970 a number from -MAX_DIFFERENCE to
MAX_DIFFERENCE, each equally likely, from the SHA-256 of the symbol and that time; between two draws it goes evenly
from one to the next. So it lasts for some candles, crosses zero now and then, and is the same wherever and whenever it
is computed. The bid and the ask are half of SPREAD below and above the middle, on ticks.

Seen from the first exchange, the lag adds the change of the price over the last candle to the difference.
"""

import hashlib
from functools import lru_cache
from typing import Final

from app.domains.market.analysis.rules.series import Series
from app.domains.trading.exchange.rules.rounding import MAX_PRICE, tick_above, tick_below
from app.domains.trading.quantities.rules import PRICE_SCALE, decimal_of
from app.domains.trading.strategies.model import ExchangePrice

SECOND: Final = "simulated-2"
"""Its name."""
DRAW_CANDLES: Final = 8
MAX_DIFFERENCE: Final = 800_000
"""0.8 %."""
SPREAD: Final = 100_000
"""0.1 %."""
_ONE: Final = 10**8
"""The unit of fractions."""


def elsewhere(symbol: str, series: Series) -> ExchangePrice | None:
    """Its price at the end of the last candle. Null where the first exchange has no candle just before that one.

    Also null where the price is so low or high that there is no bid or ask.
    """
    step_s = series.step_s
    if len(series) < 2 or series.times[-1] - series.times[-2] != step_s:
        return None
    away = difference(symbol, int(series.times[-1]), step_s)
    # To the unit: a float is a little off what the column holds.
    numerator, denominator = float(series.close[-2]).as_integer_ratio()
    close = (2 * numerator * PRICE_SCALE + denominator) // (2 * denominator)
    middle = close * (_ONE + away)
    bid = tick_below(middle * (_ONE - SPREAD // 2) // _ONE**2)
    ask = tick_above(-(-middle * (_ONE + SPREAD // 2) // _ONE**2))
    if not bid or ask >= MAX_PRICE:
        return None
    return ExchangePrice(SECOND, decimal_of(bid, PRICE_SCALE), decimal_of(ask, PRICE_SCALE))


def difference(symbol: str, opened_at_s: int, step_s: int) -> int:
    """How far its middle is above its own past of the first exchange, in parts of 10^8."""
    every = DRAW_CANDLES * step_s
    before = opened_at_s // every * every
    passed = opened_at_s - before
    return (_drawn(symbol, before) * (every - passed) + _drawn(symbol, before + every) * passed) // every


@lru_cache(maxsize=1_000)
def _drawn(symbol: str, time_s: int) -> int:
    digest = hashlib.sha256(f"{symbol} {time_s}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % (2 * MAX_DIFFERENCE + 1) - MAX_DIFFERENCE

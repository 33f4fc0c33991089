"""The risk of a portfolio, from its time-weighted returns. A year is 365 days, because the market never closes."""

import math
import statistics
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from app.domains.trading.performance.model import Drawdown
from app.domains.trading.performance.rules.numbers import finite

YEAR_DAYS: Final = 365
RETURNS_NEEDED: Final = 2
"""The minimum number of daily returns: a sample of one has no deviation."""

# Less than this is the rounding of floats, not a deviation.
_STILL = 1e-12


class Ratios(NamedTuple):
    """Of a year; null is undefined."""

    volatility: float | None
    sharpe: float | None
    sortino: float | None


def ratios_of(returns: Sequence[float], risk_free_rate: float = 0.0) -> Ratios:
    """Returns volatility, Sharpe and Sortino ratio from simple daily returns.

    With e, the returns less `(1 + risk_free_rate)^(1/365) - 1`, and n of them:
    volatility `s sqrt(365)`, where s is the sample deviation (n - 1) of the returns;
    Sharpe `mean(e) / s sqrt(365)`, null if s is 0; Sortino `mean(e) / d sqrt(365)`, where d is the root of
    `sum(min(e, 0)^2) / n`, null if d is 0. All are null with fewer than RETURNS_NEEDED returns.

    The risk-free rate is that of a year, a fraction over -1, or ValueError is raised.
    """
    if not (math.isfinite(risk_free_rate) and risk_free_rate > -1):
        raise ValueError("the risk-free rate is a fraction over -1")
    if len(returns) < RETURNS_NEEDED:
        return Ratios(None, None, None)
    free = math.expm1(math.log1p(risk_free_rate) / YEAR_DAYS)
    excess = [each - free for each in returns]
    mean, deviation = statistics.fmean(excess), statistics.stdev(returns)
    downside = math.hypot(*(min(each, 0.0) for each in excess)) / math.sqrt(len(excess))
    year = math.sqrt(YEAR_DAYS)
    return Ratios(
        finite(deviation * year),
        finite(mean / deviation * year) if deviation >= _STILL else None,
        finite(mean / downside * year) if downside >= _STILL else None,
    )


def max_drawdown(index: Sequence[tuple[datetime, Decimal]]) -> Drawdown | None:
    """Returns the largest of `1 - index / highest index until then`; null without an index.

    Of several falls of the same depth it is the first. The peak is the last time at the high before the fall.
    """
    if not index:
        return None
    depth, peak_at, trough_at = Decimal(0), None, None
    high_at, high = index[0]
    for at, level in index:
        if level >= high:
            high_at, high = at, level
        elif (fall := 1 - level / high) > depth:
            depth, peak_at, trough_at = fall, high_at, at
    return Drawdown(float(depth), peak_at, trough_at)

"""How unusual the volume is."""

import numpy as np

from app.domains.market.analysis.rules.series import Series

DAY_S = 24 * 60 * 60


def spike(series: Series, window: int) -> float | None:
    """Returns the volume of the last `window` candles divided by the mean volume of as many in the 24 hours before.

    1 is usual, 5 is five times the usual. A missing candle is time without volume. Null if the candles do not cover
    24 hours and the window, or nothing was traded in those 24 hours. Raises ValueError unless window is 1 or more
    and no longer than 24 hours.
    """
    if window < 1 or window * series.step_s > DAY_S:
        raise ValueError("the window is at least one candle and at most 24 hours")
    if not len(series):
        return None
    end = int(series.times[-1]) + series.step_s
    begin = end - window * series.step_s
    if series.times[0] > begin - DAY_S:
        return None
    recent = float(np.sum(series.volume[series.times >= begin]))
    before = float(np.sum(series.volume[(series.times >= begin - DAY_S) & (series.times < begin)]))
    if before <= 0:
        return None
    ratio = recent / (before * window * series.step_s / DAY_S)
    return ratio if np.isfinite(ratio) else None

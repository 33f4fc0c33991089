"""How much of a portfolio was in positions. Each value holds until the next one."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from app.domains.trading.performance.model import ValuePoint


class Exposure(NamedTuple):
    """Means weighted by time, over the time in which the portfolio had a value. Null if it had none."""

    share: float | None
    """The mean of `(value - cash) / value`."""
    time_share: float | None
    """The share of the time with `value > cash`."""


def exposure_of(values: Sequence[ValuePoint]) -> Exposure:
    """Returns the exposure from the first to the last value. The last one holds for no time."""
    held = [(point, time) for point, time in _times(values) if point.value]
    total = sum((time for _, time in held), Decimal(0))
    if not total:
        return Exposure(None, None)
    shares = sum(((point.value - point.cash) / point.value * time for point, time in held), Decimal(0))
    return Exposure(
        float(shares / total),
        float(sum((time for point, time in held if point.value > point.cash), Decimal(0)) / total),
    )


def mean_value(values: Sequence[ValuePoint]) -> Decimal | None:
    """Returns the mean value, weighted by time. Null without two values."""
    times = _times(values)
    if not times:
        return None
    return sum((point.value * time for point, time in times), Decimal(0)) / sum(time for _, time in times)


def _times(values: Sequence[ValuePoint]) -> list[tuple[ValuePoint, Decimal]]:
    """The values, and for how long each held."""
    return [
        (point, Decimal((following.at - point.at) // timedelta.resolution)) for point, following in pairwise(values)
    ]

"""Time-weighted returns: what a unit of money did that stayed in the portfolio."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from app.domains.trading.performance.model import Flow, ValuePoint


class Interval(NamedTuple):
    """The time between two values that follow one another."""

    begins_at: datetime
    ends_at: datetime
    growth: Decimal | None
    """1 + the return; null if there was no money in it."""


Intervals = list[Interval] | None
"""The intervals of a history. Null if one of them has no return: see `growth_of`."""


_NOTHING = Decimal(0)


class NoReturn(ArithmeticError):
    """There was a gain without money that made it, or an estimated loss of more than all of it."""


def intervals_of(values: Sequence[ValuePoint], flows: Sequence[Flow]) -> Intervals:
    """Returns the intervals between the values, with the flows from each value until before the next."""
    times = [point.at for point in values]
    inside: dict[int, list[Flow]] = {}
    for flow in flows:
        inside.setdefault(bisect_right(times, flow.at) - 1, []).append(flow)
    try:
        return [
            Interval(first.at, last.at, growth_of(first, last, inside.get(i, ())))
            for i, (first, last) in enumerate(pairwise(values))
        ]
    except NoReturn:
        return None


def growth_of(first: ValuePoint, last: ValuePoint, flows: Sequence[Flow]) -> Decimal | None:
    """Returns 1 + gain / money, or null if gain and money are 0. Raises NoReturn.

    The gain is what the value changed by, less the flows. The money is the first value and the flows, each weighted by
    the share of the interval that was left. This is exact for flows at the time of the first value; for others it is an
    estimate (modified Dietz), and a bad one for a flow that is large beside the value.
    """
    flowed, weighted = _NOTHING, _NOTHING
    for flow in flows:
        flowed += flow.amount
        weighted += flow.amount * _left(flow.at, first.at, last.at)
    gain = last.value - first.value - flowed
    money = first.value + weighted
    if not money and not gain:
        return None
    if money <= 0 or money + gain < 0:
        raise NoReturn
    return 1 + gain / money


def is_estimated(values: Sequence[ValuePoint], flows: Sequence[Flow]) -> bool:
    """Whether a flow has no value at its time."""
    return not {flow.at for flow in flows} <= {point.at for point in values}


def index_of(intervals: Sequence[Interval]) -> list[tuple[datetime, Decimal]]:
    """Returns what a unit of money was worth at the time of each value: the product of the growths until then."""
    if not intervals:
        return []
    index = [(intervals[0].begins_at, Decimal(1))]
    for each in intervals:
        index.append((each.ends_at, index[-1][1] * (1 if each.growth is None else each.growth)))
    return index


def time_weighted_return(intervals: Intervals) -> float | None:
    """Returns the product of the growths, less 1.

    Null if an interval has no return, and if none had money in it. After a loss of everything it is -1, whatever is
    deposited afterwards.
    """
    if intervals is None or all(each.growth is None for each in intervals):
        return None
    return float(_product([each.growth for each in intervals if each.growth is not None]) - 1)


def daily_returns(intervals: Sequence[Interval]) -> list[float]:
    """Returns the return of each whole day in UTC, from the last value of the day before to its own last value.

    A value at midnight is the last one of the day that ends. A day has no return if it has no value, if the day before
    has none, if no value shows that it is over, or if there was no money in it.
    """
    days: dict[datetime, list[Interval]] = {}
    for each in intervals:
        days.setdefault(_day_of(each.ends_at), []).append(each)
    if not days:
        return []
    with_values = {_day_of(intervals[0].begins_at), *days}
    over = intervals[-1].ends_at
    growths = {
        day: [each.growth for each in parts if each.growth is not None]
        for day, parts in days.items()
        if day - timedelta(days=1) in with_values and day + timedelta(days=1) <= over
    }
    return [float(_product(parts) - 1) for parts in growths.values() if parts]


def _day_of(at: datetime) -> datetime:
    return (at - timedelta.resolution).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _product(factors: Sequence[Decimal]) -> Decimal:
    product = Decimal(1)
    for factor in factors:
        product *= factor
    return product


def _left(at: datetime, begins_at: datetime, ends_at: datetime) -> Decimal:
    """The share of an interval that is left at a time."""
    tick = timedelta.resolution
    return Decimal((ends_at - at) // tick) / Decimal((ends_at - begins_at) // tick)

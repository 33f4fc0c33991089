"""Values as they were recorded, as the values of a life that the other rules measure."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import accumulate

from app.domains.trading.performance.model import Flow, RecordedValue, ValuePoint


def values_of(
    recorded: Sequence[RecordedValue],
    flows: Sequence[Flow],
    contributed: Decimal,
    life_began_at: datetime,
    *,
    with_opening: bool,
) -> list[ValuePoint]:
    """Returns the values of a life, each with what flowed before it, and without what flowed since.

    `flows` are those since the first value, in the order of their times; `contributed` is what the life was given until
    now. The first value of an hour or day is recorded after its time: what flowed in between is in it, as its own
    `contributed` says, and is taken out. One with a time before the life is left out. `with_opening` is whether the
    flows go back to the beginning of the life: then its first value is what it was opened with.
    """
    times = [flow.at for flow in flows]
    # What flowed in the last 0, 1, 2... flows.
    since = list(accumulate((flow.amount for flow in reversed(flows)), initial=Decimal(0)))
    values = []
    if with_opening:
        opening = contributed - since[-1]
        values.append(ValuePoint(life_began_at, opening, opening))
    for each in recorded:
        early = each.contributed - contributed + since[len(times) - bisect_left(times, each.at)]
        value = each.value - early
        # A sale or a fall between the flow and the recording may leave less than there was.
        if each.at > life_began_at and value >= 0:
            values.append(ValuePoint(each.at, value, min(max(each.cash - early, Decimal(0)), value)))
    return values

"""The money-weighted return: the rate that a bank account would have had to pay."""

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from app.domains.trading.performance.model import Flow, ValuePoint

LARGEST_RATE: Final = 1e12
_FIRST_STEP: Final = 1e-4
_STEP_GROWTH: Final = 1.25
_LEAST_LOG: Final = -745.0
"""Below it the exponential is 0."""


def money_weighted_return(values: Sequence[ValuePoint], flows: Sequence[Flow]) -> float | None:
    """Returns the internal rate of return of the time from the first to the last value, which is not that of a year.

    The rate r solves `first (1 + r) + sum of flow (1 + r)^left = last`, where `left` is the share of the time that was
    left at the flow. A year's rate (XIRR) is `(1 + r)^(365 days / time) - 1`. Flows are from the first value until
    before the last.

    It has the sign of the gain, and is 0 without one. Of several solutions, which only deposits and withdrawals in
    turns can have, it is the one nearest to 0 on that side; of two that differ by less than a quarter of their
    logarithm, both may be passed over. It is -1 if everything was lost. Null is returned without two values, if there
    was never money, and if no rate with that sign and up to LARGEST_RATE is a solution.
    """
    if len(values) < 2:
        return None
    first, last = values[0], values[-1]
    deposits = sum((flow.amount for flow in flows if flow.amount > 0), first.value)
    if not deposits:
        return None
    gain = last.value - first.value - sum((flow.amount for flow in flows), Decimal(0))
    if not gain:
        return 0.0
    # In shares of what was paid in, so that the amounts' size does not matter.
    time = last.at - first.at
    terms = [(1.0, float(first.value / deposits))]
    terms += [((last.at - flow.at) / time, float(flow.amount / deposits)) for flow in flows]
    target = float(last.value / deposits)

    def missing(log: float) -> float:
        """What the account would have more than the portfolio has, at the logarithm of 1 + the rate."""
        return math.fsum([*(amount * math.exp(left * log) for left, amount in terms), -target])

    if gain > 0:
        found = _nearest(lambda log: missing(log) >= 0, math.log1p(LARGEST_RATE))
        return None if found is None else math.expm1(found)
    found = _nearest(lambda log: missing(log) <= 0, _LEAST_LOG)
    if found is None:
        # Either everything was lost, or what is left asks for a rate nearer to -1 than a float is.
        return -1.0 if last.value or all(flow.amount >= 0 for flow in flows) else None
    return math.expm1(found)


def _nearest(reached: Callable[[float], bool], limit: float) -> float | None:
    """Returns where, on the way from 0 to the limit, `reached` first becomes true; null if it does not."""
    before, step = 0.0, math.copysign(_FIRST_STEP, limit)
    while not reached(step):
        if step == limit:
            return None
        before, step = step, math.copysign(min(abs(step) * _STEP_GROWTH, abs(limit)), limit)
    while (middle := (before + step) / 2) not in (before, step):
        before, step = (before, middle) if reached(middle) else (middle, step)
    return step

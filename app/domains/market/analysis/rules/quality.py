"""The quality of an analysis: how complete and how fresh its inputs were.

Each input has a weight, a completeness from 0 to 1, and an age. Its freshness is 1 up to its normal age, and falls
linearly to 0 at the age at which it is worthless. The quality is the weighted mean of completeness times freshness,
from 0 to 100. So it never falls when an input becomes more complete or fresher, is 100 only if nothing is missing and
nothing is late, and a missing input counts as 0 with its whole weight.
"""

import math
from collections.abc import Sequence

import msgspec


class Source(msgspec.Struct, frozen=True):
    """An input of an analysis.

    `age_s`: how old its newest value is, in seconds; null: it has none. It is fresh up to `fresh_s` and worthless from
    `stale_s` on.
    """

    name: str
    weight: float
    completeness: float
    age_s: float | None
    fresh_s: float
    stale_s: float


def freshness(age_s: float | None, fresh_s: float, stale_s: float) -> float:
    """1 up to `fresh_s`, 0 from `stale_s` on, linear between; 0 without an age."""
    if age_s is None or math.isnan(age_s):
        return 0.0
    if age_s <= fresh_s:
        return 1.0
    if age_s >= stale_s:
        return 0.0
    return (stale_s - age_s) / (stale_s - fresh_s)


def quality(sources: Sequence[Source]) -> int:
    """Returns 0 to 100; 0 without sources."""
    weight = sum(source.weight for source in sources)
    if weight <= 0:
        return 0
    earned = sum(
        source.weight * _share(source.completeness) * freshness(source.age_s, source.fresh_s, source.stale_s)
        for source in sources
    )
    # Rounded down, so that 100 means that nothing is missing; floats may make 0.99999999 of 1.
    return min(100, math.floor(100 * earned / weight + 1e-6))


def _share(completeness: float) -> float:
    return 0.0 if math.isnan(completeness) else min(1.0, max(0.0, completeness))

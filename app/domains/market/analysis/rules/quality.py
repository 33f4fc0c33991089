"""How far an analysis can be relied on: how complete and how fresh were its inputs?

Each input has a weight, a completeness from 0 to 1, and an age. Its freshness is 1 until it is as old as it may well
be, and falls evenly to 0 at the age at which it says nothing any more. The quality is the weighted mean of completeness
times freshness, from 0 to 100. So it never falls when an input becomes more complete or fresher, is 100 only if nothing
is missing and nothing is late, and an input that is absent counts with its whole weight against it.
"""

import math
from collections.abc import Sequence

import msgspec


class Source(msgspec.Struct, frozen=True):
    """What an analysis was made of.

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
    """1 up to `fresh_s`, 0 from `stale_s` on, evenly falling between; 0 where there is nothing to be fresh."""
    if age_s is None or math.isnan(age_s):
        return 0.0
    if age_s <= fresh_s:
        return 1.0
    if age_s >= stale_s:
        return 0.0
    return (stale_s - age_s) / (stale_s - fresh_s)


def quality(sources: Sequence[Source]) -> int:
    """0 to 100. Without sources 0: nothing was looked at."""
    weight = sum(source.weight for source in sources)
    if weight <= 0:
        return 0
    earned = sum(
        source.weight * _share(source.completeness) * freshness(source.age_s, source.fresh_s, source.stale_s)
        for source in sources
    )
    # Rounded down, so that 100 says that nothing is missing; but 0.99999999 is what floats make of 1.
    return min(100, math.floor(100 * earned / weight + 1e-6))


def _share(completeness: float) -> float:
    return 0.0 if math.isnan(completeness) else min(1.0, max(0.0, completeness))

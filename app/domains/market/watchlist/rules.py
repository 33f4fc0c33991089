"""Ranks: numbers that keep an order, so that an item moves by its own number alone."""

from decimal import Decimal
from fractions import Fraction
from itertools import count
from math import ceil, floor
from typing import Final

MAX_PLACES: Final = 100
"""Decimals of a rank. Before one gets more, after 300 moves into one gap or so, a list is given new ranks."""


def rank_between(before: Decimal | None, after: Decimal) -> Decimal:
    """The middle of the shortest numbers between two ranks; a whole one before the first."""
    if before is None:
        return Decimal(floor(after) - 1)
    low, high = Fraction(before), Fraction(after)
    if low >= high:
        raise ValueError("there is nothing between them")
    for places in count():
        first, last = floor(low * 10**places) + 1, ceil(high * 10**places) - 1
        if first <= last:
            # From its digits: arithmetic of Decimals would round to their context.
            return Decimal(f"{(first + last) // 2}E-{places}")
    raise AssertionError("unreachable")


def is_between(rank: Decimal, before: Decimal | None, after: Decimal | None) -> bool:
    """Whether a rank stands between two others; None: there is none on that side."""
    return (before is None or before < rank) and (after is None or rank < after)


def places_of(rank: Decimal) -> int:
    """How many decimals a rank has."""
    exponent = rank.as_tuple().exponent
    assert isinstance(exponent, int), "a rank is finite"
    return max(0, -exponent)

"""Ranks: numbers that define an order, so that moving an item changes its own number only."""

from decimal import Decimal
from fractions import Fraction
from itertools import count
from math import ceil, floor
from typing import Final

MAX_DECIMALS: Final = 100
"""A watchlist is renumbered before a rank has more decimals, which takes about 300 moves into one gap."""


def rank_between(before: Decimal | None, after: Decimal) -> Decimal:
    """Returns the middle of the shortest numbers between two ranks, or an integer before the first rank."""
    if before is None:
        return Decimal(floor(after) - 1)
    low, high = Fraction(before), Fraction(after)
    if low >= high:
        raise ValueError("there is no rank between them")
    for decimals in count():
        first, last = floor(low * 10**decimals) + 1, ceil(high * 10**decimals) - 1
        if first <= last:
            # From its digits: arithmetic with Decimals would round to the context.
            return Decimal(f"{(first + last) // 2}E-{decimals}")
    raise AssertionError("unreachable")


def is_between(rank: Decimal, before: Decimal | None, after: Decimal | None) -> bool:
    """Whether a rank is between two others; None: there is none on that side."""
    return (before is None or before < rank) and (after is None or rank < after)


def decimals_of(rank: Decimal) -> int:
    """Returns the number of decimals of a rank."""
    exponent = rank.as_tuple().exponent
    assert isinstance(exponent, int), "a rank is finite"
    return max(0, -exponent)

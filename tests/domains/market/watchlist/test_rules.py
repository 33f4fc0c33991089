"""Ranks: between any two there is another, and few digits are enough for long."""

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.market.watchlist.rules import decimals_of, is_between, rank_between

ranks = st.decimals(-(10**9), 10**9, allow_nan=False, places=12)


@given(ranks, ranks)
def test_there_is_a_rank_between_any_two(one: Decimal, other: Decimal) -> None:
    low, high = sorted((one, other))
    if low == high:
        with pytest.raises(ValueError, match="no rank between"):
            rank_between(low, high)
        return
    assert low < rank_between(low, high) < high


@given(ranks)
def test_before_the_first_is_a_whole_number(first: Decimal) -> None:
    rank = rank_between(None, first)
    assert rank < first
    assert rank == int(rank)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("0", "2", "1"),
        ("0", "1", "0.5"),
        ("0.5", "1", "0.7"),
        ("0.9", "1", "0.95"),
        ("0.99", "1.01", "1"),
        ("-1", "0", "-0.5"),
    ],
)
def test_it_is_the_middle_of_the_shortest(before: str, after: str, expected: str) -> None:
    assert rank_between(Decimal(before), Decimal(after)) == Decimal(expected)


def test_a_gap_is_halved_300_times_in_100_decimals() -> None:
    low, high = Decimal(0), Decimal(1)
    chance = random.Random(1)
    for _ in range(300):
        middle = rank_between(low, high)
        assert low < middle < high
        low, high = (middle, high) if chance.random() < 0.5 else (low, middle)
    assert decimals_of(rank_between(low, high)) <= 100


def test_moves_to_either_end_need_no_decimals() -> None:
    rank = Decimal("0.5")
    for _ in range(1000):
        rank = rank_between(None, rank)
    assert (rank, decimals_of(rank)) == (Decimal(-1000), 0)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, None, True),
        ("0", None, True),
        ("1", None, False),
        (None, "1", False),
        ("0", "2", True),
        ("0", "1", False),
    ],
)
def test_what_stands_between(before: str | None, after: str | None, expected: bool) -> None:
    one, other = (None if each is None else Decimal(each) for each in (before, after))
    assert is_between(Decimal(1), one, other) is expected

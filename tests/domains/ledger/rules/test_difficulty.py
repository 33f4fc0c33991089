import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.ledger.rules.difficulty import (
    INITIAL_DIFFICULTY_BITS,
    MAX_DIFFICULTY_BITS,
    MIN_DIFFICULTY_BITS,
    is_retarget_height,
    next_difficulty_bits,
    retarget_window,
)


@pytest.mark.parametrize(
    ("actual_s", "bits"),
    [
        (200, 10),
        (119, 10),  # 2^0.75 too fast is 118.92 s
        (118, 11),
        (336, 10),  # 2^0.75 too slow is 336.36 s
        (337, 9),
        (71, 11),
        (70, 12),  # 2^1.5 too fast is 70.71 s
        (565, 9),
        (566, 8),
        (0, 12),
        (-7_000, 12),
        (10**9, 8),
    ],
)
def test_the_change_is_the_rounded_logarithm_with_a_dead_band(actual_s: int, bits: int) -> None:
    assert next_difficulty_bits(10, 20, actual_s) == bits


def test_the_bounds_hold() -> None:
    assert next_difficulty_bits(MIN_DIFFICULTY_BITS, 20, 10**6) == MIN_DIFFICULTY_BITS
    assert next_difficulty_bits(MAX_DIFFICULTY_BITS, 20, 1) == MAX_DIFFICULTY_BITS


@given(st.integers(1, 240), st.integers(1, 20), st.integers(-(10**6), 10**6), st.integers(0, 10**6))
def test_slower_blocks_never_raise_the_difficulty(bits: int, blocks: int, actual_s: int, slower_s: int) -> None:
    faster, slower = (next_difficulty_bits(bits, blocks, seconds) for seconds in (actual_s, actual_s + slower_s))
    assert slower <= faster
    assert abs(faster - bits) <= 2


def test_windows_join_without_a_gap_and_leave_genesis_out() -> None:
    assert [height for height in range(61) if is_retarget_height(height)] == [20, 40, 60]
    assert [retarget_window(height) for height in (20, 40, 60)] == [(1, 19), (19, 39), (39, 59)]


@pytest.mark.parametrize("twentieths", range(20))
def test_a_fixed_hash_rate_settles_near_ten_seconds(twentieths: int) -> None:
    # Twenty hash rates across one doubling: all fractions of a bit between two difficulties.
    hashes_per_second = 2 ** (20 + twentieths / 20) / 10
    luck = random.Random(twentieths)
    bits, now_s, settled_height, changes = INITIAL_DIFFICULTY_BITS, 0.0, 1_000, 0
    times_s = [0]
    for height in range(1, 6_001):
        if is_retarget_height(height):
            first, last = retarget_window(height)
            following = next_difficulty_bits(bits, last - first, times_s[last] - times_s[first])
            changes += height > settled_height and following != bits
            bits = following
        now_s += luck.expovariate(hashes_per_second / 2**bits)
        times_s.append(int(now_s))
    mean_s = (times_s[-1] - times_s[settled_height]) / (6_000 - settled_height)
    assert 7 <= mean_s <= 14.2
    assert bits in {19, 20, 21, 22}
    # Of 250 retargets at most three in ten move, even midway between two difficulties.
    assert changes <= 75

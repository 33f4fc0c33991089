"""What the last blocks require of the next one."""

from decimal import Decimal

import pytest

from app.domains.ledger.rules.header import BlockHeader
from app.domains.ledger.rules.progress import Progress


def grown(times_s: list[int]) -> Progress:
    """A chain of blocks at these times, genesis first. Their work is not checked."""
    progress = Progress.before_genesis()
    for height, timestamp_s in enumerate(times_s):
        header = BlockHeader(
            previous_hash=progress.hash,
            merkle_root=bytes(32),
            height=height,
            timestamp_s=timestamp_s,
            difficulty_bits=progress.difficulty_bits,
            nonce=0,
        )
        progress = progress.after(header, bytes([height]) * 32)
    return progress


def test_before_genesis() -> None:
    progress = Progress.before_genesis()
    assert (progress.tip.next_height, progress.tip.hash, progress.tip.difficulty_bits) == (0, bytes(32), 3)
    assert progress.tip.recent_timestamps_s == ()
    assert progress.average_block_seconds == 0


def test_the_tip_remembers_eleven_times() -> None:
    progress = grown(list(range(0, 150, 10)))
    assert progress.tip.next_height == 15
    assert progress.tip.hash == bytes([14]) * 32
    assert progress.tip.recent_timestamps_s == tuple(range(40, 150, 10))


@pytest.mark.parametrize(
    ("seconds", "bits"),
    [(10, 3), (5, 4), (2, 5), (1, 5), (20, 2), (80, 1)],
    ids=["on time", "twice as fast", "five times", "ten times", "half as fast", "eight times slower"],
)
def test_the_first_retarget_leaves_genesis_out(seconds: int, bits: int) -> None:
    # Genesis is a year older than block 1: if it counted, the difficulty would fall.
    times_s = [0, *(31_536_000 + seconds * place for place in range(19))]
    assert grown(times_s[:-1]).difficulty_bits == 3
    assert grown(times_s).difficulty_bits == bits


def test_a_later_retarget_counts_twenty_intervals() -> None:
    times_s = [0, *(1_000_000 + 10 * place for place in range(38))]
    # Nineteen intervals on time; the twentieth makes the window as long as 80 blocks ought to be.
    late = times_s[-1] + 800 - 190
    assert grown(times_s).difficulty_bits == 3
    assert grown([*times_s, late]).difficulty_bits == 1


def test_the_average_covers_twenty_intervals_without_genesis() -> None:
    assert grown([0, 1000]).average_block_seconds == 0
    assert grown([0, 1000, 1007]).average_block_seconds == Decimal("7.00")
    assert grown([0, 1000, 1007, 1010, 1011]).average_block_seconds == Decimal("3.67")
    times_s = [0, 1000, *range(5000, 5000 + 21 * 3, 3)]
    assert grown(times_s).average_block_seconds == Decimal("3.00")

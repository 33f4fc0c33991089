"""The retarget: every 20 blocks the number of leading zero bits moves so that a block takes about ten seconds.

A bit doubles the work, so the mean block time cannot be held closer than a factor of the square root of 2 to its
target: within 7.1 and 14.2 seconds. The time of 20 blocks is itself random (its base-2 logarithm deviates by a third
of a bit), and a rule without hysteresis would oscillate between two levels. Hence the dead band: a change needs three
quarters of a bit, not one half.
"""

TARGET_BLOCK_SECONDS = 10
RETARGET_INTERVAL_BLOCKS = 20
INITIAL_DIFFICULTY_BITS = 3
MIN_DIFFICULTY_BITS = 1
MAX_DIFFICULTY_BITS = 240
MAX_TIMESPAN_FACTOR = 4


def is_retarget_height(height: int) -> bool:
    """Whether the block at `height` is the first of a new interval, where the difficulty may move."""
    return height > 0 and height % RETARGET_INTERVAL_BLOCKS == 0


def retarget_window(height: int) -> tuple[int, int]:
    """Heights of the two blocks whose times the retarget at `height` compares.

    A window begins with the block that ended the one before, so no interval is left out for a miner to stretch (the
    "time warp" of Bitcoin). Genesis is left out: its time is a constant, not the moment of its mining.
    """
    return max(height - 1 - RETARGET_INTERVAL_BLOCKS, 1), height - 1


def next_difficulty_bits(current_bits: int, blocks: int, actual_timespan_s: int) -> int:
    """The difficulty after `blocks` intervals took `actual_timespan_s` at `current_bits`.

    Integers only: a float logarithm could round differently on another machine, and the chain would split there.
    """
    expected = blocks * TARGET_BLOCK_SECONDS
    actual = min(max(MAX_TIMESPAN_FACTOR * actual_timespan_s, expected), MAX_TIMESPAN_FACTOR**2 * expected)
    expected *= MAX_TIMESPAN_FACTOR
    change = _bits_above(expected, actual) - _bits_above(actual, expected)
    return min(max(current_bits + change, MIN_DIFFICULTY_BITS), MAX_DIFFICULTY_BITS)


def _bits_above(larger: int, smaller: int) -> int:
    """log2(larger / smaller) rounded to 0, 1 or 2, where 1 begins at 0.75 and 2 at 1.5."""
    if larger**2 >= 8 * smaller**2:
        return 2
    return 1 if larger**4 >= 8 * smaller**4 else 0

"""The top of a chain, and what its last blocks require of the next one."""

from decimal import Decimal
from typing import Self

import msgspec

from app.domains.ledger.rules.block import ChainTip
from app.domains.ledger.rules.difficulty import (
    INITIAL_DIFFICULTY_BITS,
    RETARGET_INTERVAL_BLOCKS,
    is_retarget_height,
    next_difficulty_bits,
    retarget_window,
)
from app.domains.ledger.rules.hashing import HASH_BYTES
from app.domains.ledger.rules.header import MEDIAN_TIME_BLOCKS, BlockHeader

# The magic bytes of a Moneta chain, unless its genesis is made with others.
NETWORK = b"MNTA"
# 2025-01-01T00:00:00Z. A constant, so that genesis depends only on its miner. No retarget counts it.
GENESIS_TIMESTAMP_S = 1_735_689_600
# As many block times as a retarget looks back on, its first block included.
REMEMBERED_BLOCKS = RETARGET_INTERVAL_BLOCKS + 1
_HUNDREDTH = Decimal("0.01")


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The top of a chain."""

    height: int
    """Of the newest block; -1 while there is none."""
    hash: bytes
    difficulty_bits: int
    """What the next block must state."""
    timestamps_s: tuple[int, ...]
    """Times of the last 21 blocks, oldest first; fewer near genesis."""

    @classmethod
    def before_genesis(cls) -> Self:
        """No block yet."""
        return cls(height=-1, hash=bytes(HASH_BYTES), difficulty_bits=INITIAL_DIFFICULTY_BITS, timestamps_s=())

    @property
    def tip(self) -> ChainTip:
        """The tip that the next block is checked against."""
        return ChainTip(
            next_height=self.height + 1,
            hash=self.hash,
            difficulty_bits=self.difficulty_bits,
            recent_timestamps_s=self.timestamps_s[-MEDIAN_TIME_BLOCKS:],
        )

    def after(self, header: BlockHeader, block_hash: bytes) -> Self:
        """Returns the chain with one more block, which must have been checked."""
        height = self.height + 1
        timestamps_s = (*self.timestamps_s, header.timestamp_s)[-REMEMBERED_BLOCKS:]
        bits = self.difficulty_bits
        if is_retarget_height(height + 1):
            first, last = retarget_window(height + 1)
            timespan_s = timestamps_s[-1] - timestamps_s[first - last - 1]
            bits = next_difficulty_bits(bits, last - first, timespan_s)
        return type(self)(height=height, hash=block_hash, difficulty_bits=bits, timestamps_s=timestamps_s)

    @property
    def average_block_seconds(self) -> Decimal:
        """Mean over the last 20 intervals, to the hundredth, genesis left out as in the retarget; 0 before block 2."""
        # Without genesis, whose time is no moment of mining, there is one interval less than mined blocks.
        intervals = min(self.height - 1, RETARGET_INTERVAL_BLOCKS)
        if intervals < 1:
            return Decimal("0.00")
        elapsed_s = self.timestamps_s[-1] - self.timestamps_s[-1 - intervals]
        return (Decimal(elapsed_s) / intervals).quantize(_HUNDREDTH)

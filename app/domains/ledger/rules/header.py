"""Block headers: their 92-byte encoding, their hash, and the search for a nonce.

The nonce comes last, behind more than one 64-byte SHA-256 block: a miner hashes the rest of the header once and copies
that state for each attempt.
"""

import hashlib
import struct
from collections.abc import Sequence

import msgspec

from app.domains.ledger.rules.encoding import MalformedEncoding, Reader
from app.domains.ledger.rules.hashing import HASH_BYTES, double_sha256
from app.domains.ledger.rules.transaction import MAX_HEIGHT, MAX_TIMESTAMP_MS

HEADER_VERSION = 1
HEADER_BYTES = 92
HASH_BITS = 8 * HASH_BYTES
# Signed 64-bit, because the database keeps the nonce as a bigint.
MAX_NONCE = 2**63 - 1
MAX_TIMESTAMP_S = MAX_TIMESTAMP_MS // 1000
MEDIAN_TIME_BLOCKS = 11


class MalformedHeader(MalformedEncoding):
    """Not a block header; the message is the reason."""


class BlockHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What is hashed to prove work."""

    previous_hash: bytes
    """Hash of the block below; 32 zero bytes in the genesis block."""
    merkle_root: bytes
    height: int
    timestamp_s: int
    difficulty_bits: int
    """How many leading zero bits the hash must have."""
    nonce: int
    version: int = HEADER_VERSION


def encode_header(header: BlockHeader) -> bytes:
    """The 92 bytes that are hashed; raises MalformedHeader for a value that has no encoding."""
    _check(header)
    return _prefix(header) + header.nonce.to_bytes(8, "little")


def decode_header(data: bytes) -> BlockHeader:
    """The one header whose encoding is `data`; raises MalformedHeader for any other bytes."""
    reader = Reader(data, MalformedHeader)
    header = BlockHeader(
        version=reader.unsigned(4, "the version"),
        previous_hash=reader.take(HASH_BYTES, "the previous hash"),
        merkle_root=reader.take(HASH_BYTES, "the merkle root"),
        height=reader.unsigned(4, "the height"),
        timestamp_s=reader.unsigned(8, "the timestamp"),
        difficulty_bits=reader.unsigned(4, "the difficulty"),
        nonce=reader.unsigned(8, "the nonce"),
    )
    reader.finish()
    _check(header)
    return header


def block_hash(header: BlockHeader) -> bytes:
    """Double SHA-256 in its natural byte order: the zeros that prove work come first, also in hex.

    Bitcoin compares the reversed bytes; Moneta never reverses.
    """
    return double_sha256(encode_header(header))


def leading_zero_bits(digest: bytes) -> int:
    """Zero bits before the first one, the most significant bit of the first byte counting first."""
    return 8 * len(digest) - int.from_bytes(digest, "big").bit_length()


def meets_difficulty(digest: bytes, difficulty_bits: int) -> bool:
    """Whether a block hash shows the work that its header claims."""
    return leading_zero_bits(digest) >= difficulty_bits


def median_time_past(timestamps_s: Sequence[int]) -> int:
    """Median of the last eleven block times, or of as many as there are; at least one."""
    recent = sorted(timestamps_s[-MEDIAN_TIME_BLOCKS:])
    return recent[len(recent) // 2]


def mine(header: BlockHeader, first_nonce: int, attempts: int) -> int | None:
    """Returns the first of `attempts` nonces from `first_nonce` that meets the header's difficulty, or None.

    The header's own nonce is ignored. Nonces beyond MAX_NONCE are not tried.
    """
    _check(header)
    midstate = hashlib.sha256(_prefix(header))
    # Two digests of one length compare as numbers, which spares the loop counting bits. A hash of all ones is excluded
    # where 0 bits are asked for; the search merely goes on.
    limit = min(1 << (HASH_BITS - header.difficulty_bits), (1 << HASH_BITS) - 1).to_bytes(HASH_BYTES, "big")
    copy, sha256, pack = midstate.copy, hashlib.sha256, struct.Struct("<Q").pack
    for nonce in range(first_nonce, min(first_nonce + attempts, MAX_NONCE + 1)):
        attempt = copy()
        attempt.update(pack(nonce))
        if sha256(attempt.digest()).digest() < limit:
            return nonce
    return None


def _prefix(header: BlockHeader) -> bytes:
    return b"".join(
        (
            header.version.to_bytes(4, "little"),
            header.previous_hash,
            header.merkle_root,
            header.height.to_bytes(4, "little"),
            header.timestamp_s.to_bytes(8, "little"),
            header.difficulty_bits.to_bytes(4, "little"),
        )
    )


def _check(header: BlockHeader) -> None:
    if header.version != HEADER_VERSION:
        raise MalformedHeader(f"version {header.version} is not known")
    if len(header.previous_hash) != HASH_BYTES or len(header.merkle_root) != HASH_BYTES:
        raise MalformedHeader(f"a hash is {HASH_BYTES} bytes")
    for what, value, limit in (
        ("height", header.height, MAX_HEIGHT),
        ("timestamp", header.timestamp_s, MAX_TIMESTAMP_S),
        ("difficulty", header.difficulty_bits, HASH_BITS),
        ("nonce", header.nonce, MAX_NONCE),
    ):
        if not 0 <= value <= limit:
            raise MalformedHeader(f"the {what} is out of range")

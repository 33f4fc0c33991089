"""Keccak-256, the hash of Ethereum. It differs from SHA3-256, which Python has, in its padding alone."""

from collections.abc import Sequence
from typing import Final

_RATE: Final = 136
_MASK: Final = (1 << 64) - 1


def _constants() -> tuple[int, ...]:
    """The constants of the rounds, from the linear feedback shift register that defines them."""
    found, state = [], 1
    for _ in range(24):
        constant = 0
        for bit in range(7):
            constant |= (state & 1) << ((1 << bit) - 1)
            state = (state << 1) ^ (0x171 if state & 0x80 else 0)
        found.append(constant)
    return tuple(found)


def _rotations() -> tuple[tuple[int, int], ...]:
    """Where each lane goes, in the order of the walk over them, and by how many bits it is rotated."""
    found, x, y = [], 1, 0
    for step in range(24):
        x, y = y, (2 * x + 3 * y) % 5
        found.append((x + 5 * y, (step + 1) * (step + 2) // 2 % 64))
    return tuple(found)


_CONSTANTS: Final = _constants()
_ROTATIONS: Final = _rotations()


def keccak256(data: bytes) -> bytes:
    """The digest, 32 bytes."""
    padded = bytearray(data) + b"\x01" + bytes(-(len(data) + 1) % _RATE)
    padded[-1] |= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), _RATE):
        for lane in range(_RATE // 8):
            offset = start + 8 * lane
            lanes[lane] ^= int.from_bytes(padded[offset : offset + 8], "little")
        lanes = _permuted(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def keccak256_each(messages: Sequence[bytes]) -> list[bytes]:
    """The digests of many messages of at most 135 bytes. A lane of all of them is one integer, so that an operation on
    it is one on each: a hundred times as fast as one after the other. Raises ValueError.
    """
    count = len(messages)
    if any(len(message) >= _RATE for message in messages):
        raise ValueError("a message is longer than a block")
    if not messages:
        return []
    blocks = [message + b"\x01" + bytes(_RATE - len(message) - 1) for message in messages]
    ones = int.from_bytes((b"\x01" + bytes(7)) * count, "little")
    lanes = [
        int.from_bytes(b"".join(block[place : place + 8] for block in blocks), "little") for place in range(0, _RATE, 8)
    ]
    lanes[-1] ^= ones << 63
    lanes = _permuted_each(lanes + [0] * (25 - len(lanes)), ones)
    parts = [lane.to_bytes(8 * count, "little") for lane in lanes[:4]]
    return [b"".join(part[place : place + 8] for part in parts) for place in range(0, 8 * count, 8)]


def _permuted_each(lanes: list[int], ones: int) -> list[int]:
    """As `_permuted`. `ones` has the lowest bit of each message's part."""
    full = ones * _MASK
    low = [ones * ((1 << bits) - 1) for bits in range(64)]

    def rotated(lane: int, bits: int) -> int:
        # What leaves the part of a message at its upper end comes in again at its lower one.
        upper = lane >> (64 - bits) & low[bits]
        return (lane ^ (lane & (low[bits] << (64 - bits)))) << bits | upper

    for constant in _CONSTANTS:
        sums = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        mixed = [sums[(x + 4) % 5] ^ rotated(sums[(x + 1) % 5], 1) for x in range(5)]
        lanes = [lane ^ mixed[place % 5] for place, lane in enumerate(lanes)]
        moved = lanes[1]
        for place, bits in _ROTATIONS:
            lanes[place], moved = rotated(moved, bits), lanes[place]
        rows = lanes
        lanes = [
            rows[row + x] ^ ((rows[row + (x + 1) % 5] ^ full) & rows[row + (x + 2) % 5])
            for row in range(0, 25, 5)
            for x in range(5)
        ]
        lanes[0] ^= constant * ones
    return lanes


def _permuted(lanes: list[int]) -> list[int]:
    for constant in _CONSTANTS:
        sums = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        mixed = [sums[(x + 4) % 5] ^ _rotated(sums[(x + 1) % 5], 1) for x in range(5)]
        lanes = [lane ^ mixed[place % 5] for place, lane in enumerate(lanes)]
        moved = lanes[1]
        for place, bits in _ROTATIONS:
            lanes[place], moved = _rotated(moved, bits), lanes[place]
        rows = lanes
        lanes = [
            rows[row + x] ^ (~rows[row + (x + 1) % 5] & _MASK & rows[row + (x + 2) % 5])
            for row in range(0, 25, 5)
            for x in range(5)
        ]
        lanes[0] ^= constant
    return lanes


def _rotated(lane: int, bits: int) -> int:
    return (lane << bits | lane >> (64 - bits)) & _MASK

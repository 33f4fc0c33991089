"""Functions that tests run in a process of their own."""

import os
from itertools import count


def reversed_bytes(given: bytes) -> bytes:
    """What it is given, the other way round."""
    return given[::-1]


def environment(_: bytes) -> bytes:
    """The names of its environment's variables."""
    return " ".join(sorted(os.environ)).encode()


def endless(_: bytes) -> bytes:
    """Never."""
    return bytes(sum(count()))


def greedy(_: bytes) -> bytes:
    """More memory than it may have."""
    return bytes(1024**3)


def failing(_: bytes) -> bytes:
    """Nothing."""
    raise ValueError("secret")


def hanging(_: bytes) -> bytes:
    """Waits, which costs no processor time."""
    os.read(os.pipe()[0], 1)
    return b""

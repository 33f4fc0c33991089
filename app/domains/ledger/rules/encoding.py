"""The byte grammar that transactions and headers share: little-endian integers and minimal CompactSize counts."""

from typing import Final

# CompactSize: below 0xFD the byte is the value; otherwise a marker says how many bytes follow, and a value that would
# have fitted a shorter form is refused, so that a number has one encoding.
_MARKERS: Final = {0xFD: (2, 0xFD), 0xFE: (4, 0x1_0000), 0xFF: (8, 0x1_0000_0000)}


class MalformedEncoding(ValueError):
    """Bytes that are not an encoding, or a value that has none; the message is the reason."""


def compact_size(value: int) -> bytes:
    """The shortest CompactSize of a number below 2^64."""
    if value < 0xFD:
        return value.to_bytes(1, "little")
    if value <= 0xFFFF:
        return b"\xfd" + value.to_bytes(2, "little")
    if value <= 0xFFFF_FFFF:
        return b"\xfe" + value.to_bytes(4, "little")
    return b"\xff" + value.to_bytes(8, "little")


def compact_size_length(value: int) -> int:
    """How many bytes `compact_size(value)` takes."""
    if value < 0xFD:
        return 1
    if value <= 0xFFFF:
        return 3
    return 5 if value <= 0xFFFF_FFFF else 9


class Reader:
    """A cursor over bytes. Every failure raises `error`."""

    def __init__(self, data: bytes, error: type[MalformedEncoding]) -> None:
        self._data = data
        self._offset = 0
        self._error = error

    def take(self, length: int, what: str) -> bytes:
        """Returns the next `length` bytes; `what` names them in the message."""
        end = self._offset + length
        if end > len(self._data):
            raise self._error(f"the bytes end inside {what}")
        taken = self._data[self._offset : end]
        self._offset = end
        return taken

    def unsigned(self, length: int, what: str) -> int:
        """A little-endian number of `length` bytes."""
        return int.from_bytes(self.take(length, what), "little")

    def count(self, limit: int, what: str) -> int:
        """A minimal CompactSize of at most `limit`."""
        value = self.unsigned(1, what)
        if value in _MARKERS:
            length, least = _MARKERS[value]
            value = self.unsigned(length, what)
            if value < least:
                raise self._error(f"{what} is not minimally encoded")
        if value > limit:
            raise self._error(f"{what} is {value}, more than {limit}")
        return value

    def finish(self) -> None:
        """Refuses trailing bytes."""
        left = len(self._data) - self._offset
        if left:
            raise self._error(f"{left} bytes too many")

"""Base58, in which Solana writes addresses and keys. Leading zero bytes are leading `1`s."""

from typing import Final

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS: Final = {character: digit for digit, character in enumerate(_ALPHABET)}


def encode58(data: bytes) -> str:
    """The text of some bytes."""
    value, digits = int.from_bytes(data), ""
    while value:
        value, digit = divmod(value, 58)
        digits = _ALPHABET[digit] + digits
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


def decode58(text: str) -> bytes:
    """The bytes of a text. Raises ValueError. The time grows with the square of the length: bound it first."""
    value = 0
    for character in text:
        if (digit := _DIGITS.get(character)) is None:
            raise ValueError("not Base58")
        value = value * 58 + digit
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + value.to_bytes((value.bit_length() + 7) // 8)

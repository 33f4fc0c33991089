"""Scalars: what JSON numbers cannot carry is a string on the wire."""

import re
from datetime import UTC, datetime
from decimal import Decimal as PyDecimal
from decimal import InvalidOperation
from typing import Any, Final, NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from app.engine.declarations.cursors import MAX_CURSOR, Cursor
from app.engine.declarations.durations import MAX_MILLISECONDS, Milliseconds

__all__ = ["SCALARS", "BigInt", "Cursor", "Hash", "Milliseconds"]

Hash = NewType("Hash", str)
BigInt = NewType("BigInt", int)

_DECIMAL = re.compile(r"-?\d{1,20}(\.\d{1,18})?", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}")
_BIG_INT = re.compile(r"-?\d{1,78}", re.ASCII)


def _parse_decimal(value: Any) -> PyDecimal:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise ValueError('A Decimal is a string such as "12.5", without exponent; a JSON number would lose digits.')
    try:
        return PyDecimal(value)
    except InvalidOperation as error:
        raise ValueError("Not a decimal number.") from error


def _parse_big_int(value: Any) -> int:
    if not isinstance(value, str) or not _BIG_INT.fullmatch(value):
        raise ValueError('A BigInt is a string of digits such as "9007199254740993".')
    return int(value)


def _parse_hash(value: Any) -> str:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise ValueError("A Hash is 64 lower-case hexadecimal digits.")
    return value


def _parse_milliseconds(value: Any) -> int:
    # JSON has one kind of number: 1000.0 is whole.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_MILLISECONDS:
        raise ValueError(f"Milliseconds are a whole JSON number, 0 to {MAX_MILLISECONDS}.")
    return value


def _parse_cursor(value: Any) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_CURSOR:
        raise ValueError("A Cursor is an opaque string that the API gave out.")
    return value


# The database takes the first and the last moment of Python for its infinities.
_ENDS: Final = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def _parse_datetime(value: Any) -> datetime:
    if not isinstance(value, str):
        raise TypeError("A DateTime is an ISO 8601 string with an offset.")
    parsed = datetime.fromisoformat(value)
    if parsed.tzinfo is None:
        raise ValueError("A DateTime needs an offset, such as Z.")
    moment = parsed.astimezone(UTC)
    if moment in _ENDS:
        raise ValueError("This DateTime is out of range.")
    return moment


def _format_datetime(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


SCALARS: dict[object, ScalarDefinition] = {
    PyDecimal: strawberry.scalar(
        name="Decimal",
        specified_by_url="/docs/scalars#Decimal",
        description="An exact decimal number as a string: an optional minus sign, 1 to 20 digits, and optionally a"
        " point and 1 to 18 digits, such as `12.5`. Money has at most 8 decimals. Amounts in the tokens of"
        " projects, which are shown and never given so, have up to 78 digits, up to 36 of them decimals. Never a JSON"
        " number, which would lose digits.",
        serialize=lambda value: format(value, "f"),
        parse_value=_parse_decimal,
    ),
    BigInt: strawberry.scalar(
        name="BigInt",
        specified_by_url="/docs/scalars#BigInt",
        description="An integer as a string: an optional minus sign and 1 to 78 digits, beyond the 53 bits that JSON"
        " numbers keep.",
        serialize=str,
        parse_value=_parse_big_int,
    ),
    Hash: strawberry.scalar(
        name="Hash",
        specified_by_url="/docs/scalars#Hash",
        description="A SHA-256 digest as a string of 64 lower-case hexadecimal digits.",
        serialize=str,
        parse_value=_parse_hash,
    ),
    Cursor: strawberry.scalar(
        name="Cursor",
        specified_by_url="/docs/scalars#Cursor",
        description=f"A position in a stream or a list: an opaque string of at most {MAX_CURSOR} characters, as the API"
        " gave it out.",
        serialize=str,
        parse_value=_parse_cursor,
    ),
    Milliseconds: strawberry.scalar(
        name="Milliseconds",
        specified_by_url="/docs/scalars#Milliseconds",
        description="A duration in milliseconds: a whole JSON number, 0 to 2^53 - 1.",
        serialize=int,
        parse_value=_parse_milliseconds,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        description="A moment as a string in ISO 8601 (RFC 3339), with at most microseconds. The API returns UTC, such"
        " as `2026-11-21T12:00:00Z`, and accepts any offset; a string without an offset is refused.",
        serialize=_format_datetime,
        parse_value=_parse_datetime,
    ),
}

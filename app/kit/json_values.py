"""JSON values that clients give to be stored: what Postgres, and every reader of JSON, returns as it was given."""

import math
from typing import Any, Final

import msgspec

from app.kit.errors import InvalidInput

MAX_INTEGER: Final = 2**53 - 1
"""The largest integer that every JSON parser reads exactly, and that a stored value may have."""


def check_json(value: Any, field: str, noun: str, *, max_bytes: int, max_depth: int) -> Any:
    """Returns the value, every part of which Postgres can store. Raises InvalidInput about `field`, of a `noun`."""
    # Level by level: a value nested deeper than Python's stack must not reach a recursive encoder.
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > max_depth:
            raise InvalidInput(field, f"{noun} is nested at most {max_depth} levels deep.")
        for each in level:
            if (fault := _fault(each)) is not None:
                raise InvalidInput(field, f"{noun}{fault}")
        level = [inner for outer in level for inner in _parts(outer)]
    try:
        size = len(msgspec.json.encode(value))
    except UnicodeEncodeError:
        raise InvalidInput(field, f"{noun} holds valid Unicode.") from None
    if size > max_bytes:
        raise InvalidInput(field, f"{noun} has at most {max_bytes} bytes as JSON, not {size}.")
    return value


def as_given(value: Any) -> Any:
    """A stored value as it was given: Postgres writes 1e308 in full, as an integer."""
    match value:
        case dict():
            return {key: as_given(each) for key, each in value.items()}
        case list():
            return [as_given(each) for each in value]
        case int() if abs(value) > MAX_INTEGER:
            return float(value)
    return value


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else []


def _fault(value: Any) -> str | None:
    if isinstance(value, str) and "\x00" in value:
        return " has no NUL character."
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        return "'s integers are at most 2^53 - 1; keep larger ones as strings."
    if isinstance(value, float) and not math.isfinite(value):
        return " has finite numbers only."
    if isinstance(value, float) and value == 0 and math.copysign(1, value) < 0:
        return " has no negative zero: it would be stored as 0."
    return None

"""Validation of settings."""

import math
import re
from typing import Any

import msgspec

from app.domains.accounts.model import MAX_INTEGER
from app.kit.errors import InvalidInput

MAX_VALUE_BYTES = 8192
MAX_DEPTH = 16

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


def check_name(text: str) -> str:
    """Returns the name. Raises InvalidInput."""
    if not _NAME.fullmatch(text):
        raise InvalidInput("name", "A name has 1 to 64 letters, digits and . _ - and begins with a letter.")
    return text


def check_value(value: Any) -> Any:
    """Returns the value, every part of which Postgres can store. Raises InvalidInput."""
    # Level by level: a value nested deeper than Python's stack must not reach a recursive encoder.
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise InvalidInput("value", f"A setting is nested at most {MAX_DEPTH} levels deep.")
        level = [inner for outer in level for inner in _parts(outer)]
    try:
        size = len(msgspec.json.encode(value))
    except UnicodeEncodeError:
        raise InvalidInput("value", "A setting holds valid Unicode.") from None
    if size > MAX_VALUE_BYTES:
        raise InvalidInput("value", f"A setting has at most {MAX_VALUE_BYTES} bytes as JSON, not {size}.")
    return value


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    if isinstance(value, list):
        return value
    if isinstance(value, str) and "\x00" in value:
        raise InvalidInput("value", "A setting has no NUL character.")
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise InvalidInput("value", "A setting's integers are at most 2^53 - 1; keep larger ones as strings.")
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidInput("value", "A setting has finite numbers only.")
    if isinstance(value, float) and value == 0 and math.copysign(1, value) < 0:
        raise InvalidInput("value", "A setting has no negative zero: it would be stored as 0.")
    return []

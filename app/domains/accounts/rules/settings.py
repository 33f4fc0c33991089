"""Validation of settings."""

import re
from typing import Any

from app.kit.errors import InvalidInput
from app.kit.json_values import check_json

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
    return check_json(value, "value", "A setting", max_bytes=MAX_VALUE_BYTES, max_depth=MAX_DEPTH)

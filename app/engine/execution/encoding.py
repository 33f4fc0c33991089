"""Encodes responses as JSON. It does not fail on any value of a resolver."""

import json
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder()


def encode(value: Any) -> bytes:
    """JSON in UTF-8. The standard encoder handles lone surrogates and unknown types in a JSON scalar."""
    try:
        return _encoder.encode(value)
    except (UnicodeEncodeError, TypeError):
        return json.dumps(value, separators=(",", ":"), default=str).encode("ascii")

"""JSON out: unable to fail on what a resolver gave."""

import json
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder()


def encode(value: Any) -> bytes:
    """JSON in UTF-8. A lone surrogate, or a stranger in a JSON scalar, is left to the standard encoder."""
    try:
        return _encoder.encode(value)
    except (UnicodeEncodeError, TypeError):
        return json.dumps(value, separators=(",", ":"), default=str).encode("ascii")

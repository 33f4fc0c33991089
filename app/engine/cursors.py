"""Opaque cursors: the order columns of a record, typed, and bound to the list that they were given for."""

import base64
import binascii
import zlib
from typing import Any, NewType, get_type_hints

import msgspec

from app.kit.errors import InvalidInput
from app.kit.loading import Page

Cursor = NewType("Cursor", str)
"""The scalar of every cursor: a place in a list or in a stream."""

_CHECK_BYTES = 4


def encode_cursor(loader: Page[Any], record: Any) -> Cursor:
    """Where `record` stands in the list of `loader`."""
    body = msgspec.json.encode([getattr(record, column) for column in loader.order])
    return Cursor(base64.urlsafe_b64encode(_check(loader, body) + body).rstrip(b"=").decode())


def decode_cursor(loader: Page[Any], cursor: str) -> tuple[Any, ...]:
    """The order columns. Raises InvalidInput for anything that this list did not give out."""
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        check, body = data[:_CHECK_BYTES], data[_CHECK_BYTES:]
        if check != _check(loader, body):
            raise ValueError("of another list")
        return tuple(msgspec.json.decode(body, type=_columns_type(loader)))
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        raise InvalidInput("after", "This cursor does not belong to this list.") from error


def _check(loader: Page[Any], body: bytes) -> bytes:
    # Not a secret, a mistake detector: a cursor carries nothing that its holder may not choose.
    return zlib.crc32(loader.query.name.encode() + body).to_bytes(_CHECK_BYTES, "big")


def _columns_type(loader: Page[Any]) -> Any:
    hints = get_type_hints(loader.record)
    return tuple[tuple(hints[column] for column in loader.order)]  # type: ignore[misc]  # a type built at run time

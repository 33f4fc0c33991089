"""Opaque cursors: the order columns of a record, typed, with a tag that binds them to their list."""

import base64
import binascii
import hashlib
import hmac
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NewType, get_type_hints

import msgspec

from app.kit.errors import InvalidInput
from app.kit.loaders import Page

Cursor = NewType("Cursor", str)
"""The scalar of every cursor: a position in a list or in a stream."""

MAX_CURSOR: Final = 500
"""The maximum length of a cursor, in characters."""

_TAG_BYTES: Final = 12
_INTEGERS: Final = range(-(2**63), 2**63)


class Cursors:
    """Encodes the cursors of lists, and accepts no others.

    A list is identified by its statement, its order columns and the names of its filters. The values of the filters and
    the key of the list do not count: `since` may change while a client reads, and one position may be requested of many
    tokens.
    """

    def __init__(self, key: bytes) -> None:
        """`key` is the same in every process and after every start; otherwise clients lose their positions."""
        self._key = key

    def encode(self, loader: Page[Any], record: Any) -> Cursor:
        """The cursor of `record` in the list of `loader`."""
        body = msgspec.json.encode([getattr(record, column) for column in loader.order])
        return Cursor(base64.urlsafe_b64encode(self._tag(loader, body) + body).rstrip(b"=").decode())

    def decode(self, loader: Page[Any], cursor: str) -> tuple[Any, ...]:
        """The order columns of a cursor. Raises InvalidInput for anything that is not a cursor of this list."""
        try:
            data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            tag, body = data[:_TAG_BYTES], data[_TAG_BYTES:]
            if not hmac.compare_digest(tag, self._tag(loader, body)):
                raise ValueError("of another list")
            columns = tuple(msgspec.json.decode(body, type=_columns_type(loader)))
            if not all(map(_is_sound, columns)):
                raise ValueError("no value of a column")
        except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
            raise InvalidInput("after", "This cursor does not belong to this list.") from error
        return columns

    def _tag(self, loader: Page[Any], body: bytes) -> bytes:
        # The digest of the list has a fixed length, so that no byte of the body can be taken for one of the digest.
        return hashlib.blake2b(_list_digest(loader) + body, digest_size=_TAG_BYTES, key=self._key).digest()


def _is_sound(value: Any) -> bool:
    # A genuine cursor holds values that were read from the database. No other value may reach a statement, even from a
    # holder of the key.
    match value:
        case Decimal():
            return value.is_finite()
        case int():
            return value in _INTEGERS
        case str():
            return "\0" not in value
    return True


@lru_cache(maxsize=256)
def _list_digest(loader: Page[Any]) -> bytes:
    return hashlib.sha256(msgspec.json.encode((loader.query.name, loader.order, loader.filters))).digest()


@lru_cache(maxsize=256)
def _columns_type(loader: Page[Any]) -> Any:
    hints = get_type_hints(loader.query.record)
    return tuple[tuple(hints[column] for column in loader.order)]  # type: ignore[misc]  # a type built at run time

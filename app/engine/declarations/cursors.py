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
from app.kit.lists import Page, Position

Cursor = NewType("Cursor", str)
"""The scalar of every cursor: a position in a list or in a stream."""

MAX_CURSOR: Final = 500
"""The maximum length of a cursor, in characters."""

_TAG_BYTES: Final = 12
_INTEGERS: Final = range(-(2**63), 2**63)


class Cursors:
    """Encodes the cursors of lists, and accepts no others.

    A list is identified by its statement and its order. The values of the filters and the key of the list do not count:
    `since` may change while a client reads, and one position may be requested of many tokens.
    """

    def __init__(self, key: bytes) -> None:
        """`key` is the same in every process and after every start; otherwise clients lose their positions."""
        self._key = key

    def encode(self, loader: Page[Any], order: str, record: Any, *, descending: bool) -> Cursor:
        """The cursor of `record` in the list of `loader` in this order."""
        body = msgspec.json.encode(loader.orders[order].position(record, descending=descending))
        tag = self._tag(loader, order, descending, body)
        return Cursor(base64.urlsafe_b64encode(tag + body).rstrip(b"=").decode())

    def decode(self, loader: Page[Any], order: str, cursor: str, *, descending: bool, argument: str) -> Position:
        """The position of a cursor. Raises InvalidInput for anything that is not a cursor of this list and order."""
        try:
            data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            tag, body = data[:_TAG_BYTES], data[_TAG_BYTES:]
            if not hmac.compare_digest(tag, self._tag(loader, order, descending, body)):
                raise ValueError("of another list")
            columns = tuple(msgspec.json.decode(body, type=_columns_type(loader, order)))
            if not all(map(_is_sound, columns)):
                raise ValueError("no value of a column")
        except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
            raise InvalidInput(argument, "This cursor does not belong to this list in this order.") from error
        return columns

    def _tag(self, loader: Page[Any], order: str, descending: bool, body: bytes) -> bytes:
        # The digest of the list has a fixed length, so that no byte of the body can be taken for one of the digest.
        digest = _list_digest(loader, order, descending)
        return hashlib.blake2b(digest + body, digest_size=_TAG_BYTES, key=self._key).digest()


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
def _list_digest(loader: Page[Any], order: str, descending: bool) -> bytes:
    return hashlib.sha256(msgspec.json.encode((loader.name, loader.orders[order].columns, descending))).digest()


@lru_cache(maxsize=256)
def _columns_type(loader: Page[Any], order: str) -> Any:
    hints = get_type_hints(loader.record)
    columns = (hints[column] for column in loader.orders[order].columns)
    return tuple[tuple(columns)]  # type: ignore[misc]  # a type built at run time

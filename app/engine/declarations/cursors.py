"""Opaque cursors: the order columns of a record, typed, and sealed for the list that they were given out by."""

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
"""The scalar of every cursor: a place in a list or in a stream."""

MAX_CURSOR: Final = 500
"""Characters. None is given out that is longer."""

_TAG_BYTES: Final = 12
_INTEGERS: Final = range(-(2**63), 2**63)


class Cursors:
    """Gives out the cursors of lists, and takes none but those.

    A list is its statement, the order of its columns and the names of its filters: neither the values of the filters
    nor whose list it is, for `since` may move on while somebody reads, and one place may be asked of many tokens.
    """

    def __init__(self, key: bytes) -> None:
        """`key` is the same in every process and after every start, else clients lose their places."""
        self._key = key

    def encode(self, loader: Page[Any], record: Any) -> Cursor:
        """Where `record` stands in the list of `loader`."""
        body = msgspec.json.encode([getattr(record, column) for column in loader.order])
        return Cursor(base64.urlsafe_b64encode(self._tag(loader, body) + body).rstrip(b"=").decode())

    def decode(self, loader: Page[Any], cursor: str) -> tuple[Any, ...]:
        """The order columns. Raises InvalidInput for anything that this list did not give out."""
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
        # The digest of the list has a fixed length: nothing can move between it and the body.
        return hashlib.blake2b(_list_digest(loader) + body, digest_size=_TAG_BYTES, key=self._key).digest()


def _is_sound(value: Any) -> bool:
    # What is sealed was once read from the database; nothing else may reach it, even from a holder of the key.
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

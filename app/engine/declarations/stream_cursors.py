"""Stream cursors: the opaque position of an event, bound to its stream and to the epoch of the database."""

import base64
import binascii
import hashlib
import struct
from typing import Final
from uuid import UUID

from app.engine.declarations.cursors import Cursor
from app.kit.errors import ResyncRequired

_LAYOUT: Final = struct.Struct(">8sQ")


def stream_cursor(epoch: UUID, stream: str, seq: int) -> Cursor:
    """The cursor of the event `seq`; 0 is the position before the first event."""
    packed = _LAYOUT.pack(_tag(epoch, stream), seq)
    return Cursor(base64.urlsafe_b64encode(packed).rstrip(b"=").decode())


def seq_after(epoch: UUID, stream: str, cursor: str) -> int:
    """The sequence number in `cursor`. Raises ResyncRequired if it is not a cursor of this stream and epoch."""
    try:
        tag, seq = _LAYOUT.unpack(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, struct.error) as error:
        raise ResyncRequired from error
    if tag != _tag(epoch, stream):
        raise ResyncRequired
    return int(seq)


def _tag(epoch: UUID, stream: str) -> bytes:
    # The key is the epoch, so that a cursor is refused after the database was restored.
    return hashlib.blake2b(stream.encode(), digest_size=8, key=epoch.bytes).digest()

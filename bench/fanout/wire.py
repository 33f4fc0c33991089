"""WebSocket bytes, as little of them as a client under measurement needs."""

import json
from typing import Any, Final

TEXT: Final = 0x81
CLOSE: Final = 0x88
PING: Final = 0x89
PONG: Final = 0x8A

# A client must mask what it sends; a mask of zeros is one, and leaves the text as it is.
_MASKED: Final = 0x80
_NO_MASK: Final = bytes(4)


def handshake(host: str, port: int) -> bytes:
    """The request that asks for a socket that speaks graphql-transport-ws."""
    return (
        f"GET /graphql HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
    ).encode()


def frame(kind: int, body: bytes) -> bytes:
    """A frame from a client."""
    if len(body) < 126:
        return bytes((kind, _MASKED | len(body))) + _NO_MASK + body
    return bytes((kind, _MASKED | 126)) + len(body).to_bytes(2) + _NO_MASK + body


def server_frame(body: bytes) -> bytes:
    """A text frame from a server."""
    if len(body) < 126:
        return bytes((TEXT, len(body))) + body
    return bytes((TEXT, 126)) + len(body).to_bytes(2) + body


def message(**fields: Any) -> bytes:
    """A message of graphql-transport-ws, framed."""
    return frame(TEXT, json.dumps(fields).encode())


def bounds(data: bytes, start: int) -> tuple[int, int]:
    """Where the body of the frame at `start` begins and ends; (0, 0) while its head is not there yet."""
    have = len(data) - start
    if have < 2:
        return 0, 0
    length = data[start + 1]
    if length < 126:
        return start + 2, start + 2 + length
    size = 2 if length == 126 else 8
    if have < 2 + size:
        return 0, 0
    body = start + 2 + size
    return body, body + int.from_bytes(data[start + 2 : body])

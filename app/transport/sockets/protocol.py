"""The messages of `graphql-transport-ws`, and the codes with which a socket is closed.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from enum import IntEnum
from typing import Annotated, Any, Final, TypeAlias

import msgspec

from app.engine.execution.encoding import encode
from app.transport.messages import Params
from app.transport.refusals import Refused
from app.transport.strict_json import decode

SUBPROTOCOL: Final = "graphql-transport-ws"
_MAX_REASON_BYTES: Final = 123


class CloseCode(IntEnum):
    """The close codes. Clients reconnect after 1012, 1013, 4403 and 4408; the others mean an error of the client."""

    RESTARTING = 1012
    TRY_AGAIN_LATER = 1013
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL_NOT_ACCEPTABLE = 4406
    INIT_TIMEOUT = 4408
    SUBSCRIBER_EXISTS = 4409
    TOO_MANY_INITS = 4429
    INTERNAL = 4500


class Closing(Exception):
    """The socket is closed with this code and reason."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        # A longer reason would not fit its frame.
        self.reason = reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")


OperationId: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
"""It is kept for as long as its operation, and sent with each result."""


class _Message(msgspec.Struct, frozen=True, tag_field="type"):
    pass


class Init(_Message, frozen=True, tag="connection_init"):
    """The client wants to begin; the payload may hold its token."""

    payload: dict[str, Any] | None = None


class Ping(_Message, frozen=True, tag="ping"):
    """Asks for a pong."""

    payload: dict[str, Any] | None = None


class Pong(_Message, frozen=True, tag="pong"):
    """Answers a ping, or shows that the client is alive."""

    payload: dict[str, Any] | None = None


class SubscribePayload(msgspec.Struct, frozen=True, rename="camel"):
    """What a `subscribe` asks for."""

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None

    def params(self, size_bytes: int) -> Params:
        """The same request as the other transports pass it, with the size of its message."""
        return Params(self.query, self.operation_name, self.variables, self.extensions, size_bytes)


class Subscribe(_Message, frozen=True, tag="subscribe"):
    """Begins an operation of any type, under an id of the client's choice."""

    id: OperationId
    payload: SubscribePayload


class Complete(_Message, frozen=True, tag="complete"):
    """The client ends an operation."""

    id: OperationId


ClientMessage: TypeAlias = Init | Ping | Pong | Subscribe | Complete


def parse(frame: dict[str, Any]) -> ClientMessage:
    """Reads what ASGI received. Raises Closing, 4400, for anything that a client may not send."""
    text = frame.get("text")
    if text is None:
        raise Closing(CloseCode.BAD_REQUEST, "Send text, not binary.")
    try:
        message: ClientMessage = msgspec.convert(decode(text.encode(), "The message"), ClientMessage)
    except Refused as refused:
        raise Closing(CloseCode.BAD_REQUEST, refused.message) from refused
    except msgspec.ValidationError as error:
        raise Closing(CloseCode.BAD_REQUEST, f"Invalid message: {error}") from error
    return message


ACK: Final = b'{"type":"connection_ack"}'


def ping(payload: dict[str, Any]) -> bytes:
    """Sends the client a payload. It answers with a pong."""
    return encode({"type": "ping", "payload": payload})


def pong(payload: dict[str, Any] | None) -> bytes:
    """The answer to a ping, with the payload that it came with."""
    return encode({"type": "pong"} if payload is None else {"type": "pong", "payload": payload})


def opening(operation_id: str) -> bytes:
    """What stands before each result of an operation; a brace stands behind it."""
    return b'{"id":%s,"type":"next","payload":' % encode(operation_id)


def next_(operation_id: str, body: dict[str, Any]) -> bytes:
    """One result."""
    return b"%s%s}" % (opening(operation_id), encode(body))


def error(operation_id: str, errors: list[dict[str, Any]]) -> bytes:
    """The end of an operation that failed as a whole; no `complete` follows."""
    return encode({"id": operation_id, "type": "error", "payload": errors})


def complete(operation_id: str) -> bytes:
    """The end of an operation."""
    return encode({"id": operation_id, "type": "complete"})

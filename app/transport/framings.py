"""How a stream of events is written into the body of an HTTP response: the two forms that clients ask for.

Server-sent events: https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md (distinct connections mode).
Multipart: https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol.
"""

from typing import Any, Final, Protocol

import msgspec

from app.engine.execution.encoding import encode
from app.engine.streams.model import Delivery, EndReason, Transport
from app.engine.streams.subscription import with_reason
from app.kit.errors import Code
from app.transport.messages import EVENT_STREAM, MULTIPART
from app.transport.refusals import error_body


class End(msgspec.Struct, frozen=True):
    """Why we end a stream whose client did not ask for it."""

    reason: EndReason
    code: Code
    message: str

    def errors(self, request_id: str) -> list[dict[str, Any]]:
        """The errors that the client sees."""
        return [with_reason(error, self.reason) for error in error_body(self.message, self.code, request_id)["errors"]]


class Framing(Protocol):
    """The form of a stream in a response body."""

    @property
    def transport(self) -> Transport:
        """The transport of its subscriptions."""
        ...

    @property
    def content_type(self) -> str:
        """The media type of the response."""
        ...

    @property
    def opening(self) -> bytes:
        """What stands before the first event."""
        ...

    @property
    def heartbeat(self) -> bytes:
        """What is sent so that nobody closes an idle connection."""
        ...

    def event(self, event: Delivery) -> bytes:
        """One event."""
        ...

    def complete(self) -> bytes:
        """The end after the last event."""
        ...

    def failed(self, errors: list[dict[str, Any]]) -> bytes:
        """The end of a stream that was refused or cannot be continued."""
        ...

    def interrupted(self, end: End, request_id: str) -> bytes:
        """The end of a stream that the client should open again."""
        ...


class ServerSentEvents:
    """`text/event-stream`: a `next` for each event, then `complete`."""

    transport = Transport.SSE
    content_type = f"{EVENT_STREAM}; charset=utf-8"
    opening = b""
    heartbeat = b":\n\n"

    def event(self, event: Delivery) -> bytes:
        """A `next`, whose id is the cursor. EventSource sends the newest as `Last-Event-ID` when it reconnects."""
        id_line = f"id: {event.cursor}\n".encode() if event.cursor else b""
        # JSON has no bare line break, so that one line holds all of it.
        return b"%sevent: next\ndata: %s\n\n" % (id_line, event.body)

    def complete(self) -> bytes:
        """After it clients do not reconnect."""
        return b"event: complete\ndata:\n\n"

    def failed(self, errors: list[dict[str, Any]]) -> bytes:
        """A last `next` with the errors."""
        return self.event(Delivery(encode({"errors": errors}), None)) + self.complete()

    def interrupted(self, end: End, request_id: str) -> bytes:
        """A comment. The response ends without `complete`, and that is what makes clients reconnect."""
        return f": {end.reason} {end.message}\n\n".encode()


class Multipart:
    """`multipart/mixed`: a part for each event. The boundary follows it at once: only then do clients read the part."""

    transport = Transport.MULTIPART
    content_type = 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"'
    opening = b"\r\n--graphql"

    @property
    def heartbeat(self) -> bytes:
        """An empty object, which clients ignore."""
        return _part(b"{}")

    def event(self, event: Delivery) -> bytes:
        """A part with the response as `payload`."""
        return _part(b'{"payload":%s}' % event.body)

    def complete(self) -> bytes:
        """The terminal boundary, which continues the last one."""
        return b"--\r\n"

    def failed(self, errors: list[dict[str, Any]]) -> bytes:
        """A part with the errors of the stream as a whole. Apollo's RetryLink can retry after it."""
        return _part(encode({"payload": None, "errors": errors})) + self.complete()

    def interrupted(self, end: End, request_id: str) -> bytes:
        """As any failure: a client retries after the codes that it chooses."""
        return self.failed(end.errors(request_id))


def _part(body: bytes) -> bytes:
    return b"\r\ncontent-type: application/json\r\n\r\n%s\r\n--graphql" % body


_FRAMINGS: Final[dict[str, Framing]] = {EVENT_STREAM: ServerSentEvents(), MULTIPART: Multipart()}


def choose_framing(ranges: dict[str, float]) -> Framing | None:
    """The framing that the media ranges of a request name. Wildcards name none: they mean a single response."""
    named = [each for each, quality in ranges.items() if each in _FRAMINGS and quality > 0]
    return _FRAMINGS[max(named, key=ranges.__getitem__)] if named else None

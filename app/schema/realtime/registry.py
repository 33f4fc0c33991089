"""The open subscriptions of all server processes."""

import heapq
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from app.engine.streams.model import Transport
from app.engine.streams.subscription import Subscription
from app.engine.streams.subscriptions import Subscriptions
from app.kit.errors import NotFound, Unavailable
from app.kit.process_rpc import ProcessRpc

MAX_DOCUMENT: Final = 2000
"""The longest document that is shown. A longer one is cut off and ends in an ellipsis."""

MAX_INT: Final = 2**31 - 1
"""The largest Int of GraphQL, where the count of a long-lived subscription stops."""

# During an upgrade two releases run together: a request or reply of another form needs a topic of another name.
_LIST: Final = "subscriptions.list.2"
_CLOSE: Final = "subscriptions.close"
_ID: Final = re.compile(r"[\w-]{1,64}", re.ASCII)


class OpenStream(msgspec.Struct, frozen=True):
    """An open subscription, as it was when it was read."""

    id: str
    document: str
    transport: Transport
    opened_at: datetime
    delivered: int
    lag: int


class _ListRequest(msgspec.Struct, frozen=True):
    """Asks each process for the newest `first` subscriptions of a viewer."""

    viewer_id: UUID
    first: int


class _CloseRequest(msgspec.Struct, frozen=True):
    """Asks each process to close a subscription of a viewer."""

    viewer_id: UUID
    subscription_id: str


class OpenStreams:
    """Lists and closes a viewer's subscriptions in all server processes.

    Every process considers only the subscriptions of the viewer that the request names. This class takes the viewer
    from an authenticated caller. Only the processes of Moneta can send requests, as long as Redis is private to them.
    """

    def __init__(self, local: Subscriptions, rpc: ProcessRpc) -> None:
        self._local = local
        self._rpc = rpc
        rpc.register(_LIST, self._list_here)
        rpc.register(_CLOSE, self._close_here)

    async def newest(self, viewer_id: UUID, first: int) -> list[OpenStream]:
        """Returns the viewer's newest subscriptions, of all processes that answer in time."""
        answers = await self._rpc.call(_LIST, msgspec.to_builtins(_ListRequest(viewer_id, first)))
        found = [each for reply in answers.replies for each in msgspec.convert(reply, list[OpenStream])]
        return _newest(found, first)

    async def close(self, viewer_id: UUID, subscription_id: str) -> None:
        """Closes a subscription, and tells its client.

        Raises NotFound if the viewer has no open subscription with this ID; Unavailable if a process that may hold it
        did not answer.
        """
        if not _ID.fullmatch(subscription_id):
            raise NotFound(OpenStream)
        answers = await self._rpc.call(_CLOSE, msgspec.to_builtins(_CloseRequest(viewer_id, subscription_id)))
        if any(answers.replies):
            return
        raise NotFound(OpenStream) if answers.complete else Unavailable

    def _list_here(self, payload: Any) -> Any:
        request = msgspec.convert(payload, _ListRequest)
        newest = _newest(self._local.of(request.viewer_id), request.first)
        return msgspec.to_builtins([_shown(each) for each in newest])

    def _close_here(self, payload: Any) -> Any:
        request = msgspec.convert(payload, _CloseRequest)
        return self._local.end(request.subscription_id, request.viewer_id)


_Each = TypeVar("_Each", Subscription, OpenStream)


def _newest(subscriptions: Iterable[_Each], first: int) -> list[_Each]:
    return heapq.nlargest(first, subscriptions, key=lambda each: (each.opened_at, each.id))


def _shown(subscription: Subscription) -> OpenStream:
    document = subscription.document
    return OpenStream(
        id=subscription.id,
        document=document if len(document) <= MAX_DOCUMENT else document[: MAX_DOCUMENT - 1] + "…",
        transport=subscription.transport,
        opened_at=subscription.opened_at,
        delivered=min(subscription.delivered, MAX_INT),
        lag=subscription.lag,
    )

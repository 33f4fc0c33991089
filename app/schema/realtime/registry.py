"""The subscriptions that are open now, in every server process."""

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
"""Characters of a document that are shown; a longer one ends in an ellipsis."""

MAX_INT: Final = 2**31 - 1
"""GraphQL's Int ends here, and so does the counting of a subscription that lives for months."""

# Releases meet while one takes over from another: a question or reply of another form needs a topic of another name.
_LIST: Final = "subscriptions.list"
_CLOSE: Final = "subscriptions.close"
_ID: Final = re.compile(r"[\w-]{1,64}", re.ASCII)


class OpenSubscription(msgspec.Struct, frozen=True):
    """A subscription at the moment it was looked at."""

    id: str
    document: str
    transport: Transport
    opened_at: datetime
    delivered: int
    lag: int


class _Which(msgspec.Struct, frozen=True):
    """What the processes are asked: the newest `first` of a viewer."""

    viewer_id: UUID
    first: int


class _Whose(msgspec.Struct, frozen=True):
    """What the processes are told to close."""

    viewer_id: UUID
    subscription_id: str


class OpenSubscriptions:
    """Lists and closes a viewer's subscriptions, wherever they are.

    Every process looks only among the subscriptions of the viewer named in the question. That name comes from this
    class, which takes it from an authenticated caller; that nobody else asks rests on Redis being ours alone.
    """

    def __init__(self, local: Subscriptions, rpc: ProcessRpc) -> None:
        self._local = local
        self._rpc = rpc
        rpc.register(_LIST, self._list_here)
        rpc.register(_CLOSE, self._close_here)

    async def newest(self, viewer_id: UUID, first: int) -> list[OpenSubscription]:
        """The newest of the viewer's, of all processes that answer in time."""
        answers = await self._rpc.call(_LIST, msgspec.to_builtins(_Which(viewer_id, first)))
        found = [each for reply in answers.replies for each in msgspec.convert(reply, list[OpenSubscription])]
        return _newest(found, first)

    async def close(self, viewer_id: UUID, subscription_id: str) -> None:
        """Completes a subscription towards its client.

        Raises NotFound for one that is unknown, closed, or another's; Unavailable where it may be in a process that
        did not answer.
        """
        if not _ID.fullmatch(subscription_id):
            raise NotFound
        answers = await self._rpc.call(_CLOSE, msgspec.to_builtins(_Whose(viewer_id, subscription_id)))
        if any(answers.replies):
            return
        raise NotFound if answers.complete else Unavailable

    def _list_here(self, payload: Any) -> Any:
        which = msgspec.convert(payload, _Which)
        newest = _newest(self._local.of(which.viewer_id), which.first)
        return msgspec.to_builtins([_shown(each) for each in newest])

    def _close_here(self, payload: Any) -> Any:
        whose = msgspec.convert(payload, _Whose)
        return self._local.end(whose.subscription_id, whose.viewer_id)


_Each = TypeVar("_Each", Subscription, OpenSubscription)


def _newest(subscriptions: Iterable[_Each], first: int) -> list[_Each]:
    return heapq.nlargest(first, subscriptions, key=lambda each: (each.opened_at, each.id))


def _shown(subscription: Subscription) -> OpenSubscription:
    document = subscription.document
    return OpenSubscription(
        id=subscription.id,
        document=document if len(document) <= MAX_DOCUMENT else document[: MAX_DOCUMENT - 1] + "…",
        transport=subscription.transport,
        opened_at=subscription.opened_at,
        delivered=min(subscription.delivered, MAX_INT),
        lag=subscription.lag,
    )

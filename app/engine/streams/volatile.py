"""Groups over volatile topics: the newest value of each key. A slow reader receives fewer values, never old ones."""

from collections import OrderedDict

import structlog

from app.engine.declarations.subscriptions import Volatile
from app.engine.execution.encoding import encode
from app.engine.execution.operations import NotOpened
from app.engine.streams.group import Group, GroupRequest, StreamRuntime, chunks
from app.engine.streams.model import Delivery
from app.engine.streams.subscription import Subscription
from app.kit.errors import Code
from app.kit.volatile import KEYS_LIMIT, Latest, Watcher

log = structlog.get_logger(__name__)


class VolatileGroup(Group):
    """Subscribers to a volatile topic. The position is the number of delivered values of all keys."""

    def __init__(self, runtime: StreamRuntime, request: GroupRequest) -> None:
        super().__init__(runtime, request)
        assert isinstance(request.key.declared, Volatile)
        self._payload = request.key.declared.payload
        self._choice = request.followed.choice
        self._watcher: Watcher | None = None
        self._due: dict[str, Latest] = {}
        self._latest: OrderedDict[str, tuple[int, Delivery]] = OrderedDict()

    async def start(self) -> None:
        """Begins to watch the topic. Raises Unavailable."""
        self._watcher = await self._runtime.hub.watch(self.stream, self.wake)
        self.wake()

    def close(self) -> None:
        """Ends the group after its last subscriber has left."""
        super().close()
        if self._watcher is not None:
            self._watcher.close()

    def join(self, member: Subscription) -> None:
        """Delivers the newest value of each key to this subscriber, and then new values."""
        self.members.add(member)
        self._catch_up(member)

    def resume(self, member: Subscription) -> None:
        """Delivers the newest value of each key that a subscriber missed while its sink refused deliveries."""
        self._catch_up(member)

    def lag_of(self, member: Subscription) -> int:
        """Always 0: values that were replaced by newer ones are not delivered later."""
        return 0

    async def _advance(self) -> bool:
        if self._watcher is None:
            # The first read of the topic wakes the group before it has a watcher. `start` wakes it again.
            return False
        # Values stay pending until they are executed, so that none is lost while a server does not answer.
        for value in self._watcher.take():
            self._due.pop(value.key, None)
            self._due[value.key] = value
        if not self._due:
            return False
        made = [(value.key, delivery) for value in self._due.values() if (delivery := await self._make(value))]
        self._due = {}
        given: list[tuple[int, Delivery | None]] = []
        for position, (key, delivery) in enumerate(made, self.position + 1):
            self._latest[key] = position, delivery
            # Keeps the values of all keys in the order of their age.
            self._latest.move_to_end(key)
            given.append((position, delivery))
        while len(self._latest) > KEYS_LIMIT:
            self._latest.popitem(last=False)
        for deliveries, reached in chunks(given):
            if deliveries:
                await self._give(deliveries, reached)
        return True

    async def _make(self, value: Latest) -> Delivery | None:
        try:
            payload = self._payload(value, self._choice)
        except Exception:
            # The value may be unreadable, for instance if another release wrote it. Other keys must not be affected.
            log.exception("streams.value_unreadable", stream=self.stream, key=value.key)
            return None
        if payload is None:
            return None
        response = await self._execute(payload)
        if response.data is None and Code.NOT_FOUND in response.codes:
            # What it is about is gone, or is not the viewer's any more: no later value has an answer either.
            raise NotOpened([error for error in response.errors if error["extensions"]["code"] == Code.NOT_FOUND])
        return Delivery(encode(response.body()), None)

    def _catch_up(self, member: Subscription) -> None:
        missed = [
            delivery for position, delivery in self._latest.values() if member.position < position <= self.position
        ]
        if missed and not self._give_one(member, missed):
            return
        member.advance(self.position, len(missed))
        self._join_live(member)

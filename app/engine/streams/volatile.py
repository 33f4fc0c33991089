"""Groups over volatile topics: the newest value of each key; a slow reader gets fewer of them, never late ones."""

from collections import OrderedDict

import structlog

from app.engine.declarations.subscriptions import Volatile
from app.engine.streams.group import Group, GroupRequest, StreamRuntime, chunks
from app.engine.streams.model import Delivery
from app.engine.streams.subscription import Subscription
from app.kit.volatile import KEYS_LIMIT, Latest, Watcher

log = structlog.get_logger(__name__)


class VolatileGroup(Group):
    """Subscribers to a volatile topic. Its position counts the values that were given, of whatever key."""

    def __init__(self, runtime: StreamRuntime, request: GroupRequest) -> None:
        super().__init__(runtime, request)
        assert isinstance(request.key.declared, Volatile)
        self._payload = request.key.declared.payload
        self._choice = request.followed.choice
        self._watcher: Watcher | None = None
        self._due: dict[str, Latest] = {}
        self._latest: OrderedDict[str, tuple[int, Delivery]] = OrderedDict()

    async def start(self) -> None:
        """Begins to watch. Raises Unavailable."""
        self._watcher = await self._runtime.hub.watch(self.stream, self.wake)
        self.wake()

    def close(self) -> None:
        """Nobody is left."""
        super().close()
        if self._watcher is not None:
            self._watcher.close()

    def join(self, member: Subscription) -> None:
        """Gives this subscriber what is the latest now, and then what comes."""
        self.members.add(member)
        self._catch_up(member)

    def resume(self, member: Subscription) -> None:
        """Gives a subscriber that could not take everything what is the latest now."""
        self._catch_up(member)

    def lag_of(self, member: Subscription) -> int:
        """Nothing that was passed over is owed."""
        return 0

    async def _advance(self) -> bool:
        if self._watcher is None:
            # Woken by the first reading of the topic; `start` wakes again.
            return False
        # What is taken is due until it is made: a server that does not answer must not cost a key its newest value.
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
            # The values of all keys stay in the order of their age.
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
            # Whatever Redis holds there, for instance another release's idea of it: it must not cost the other keys.
            log.exception("streams.value_unreadable", stream=self.stream, key=value.key)
            return None
        return None if payload is None else await self._execute(payload, None)

    def _catch_up(self, member: Subscription) -> None:
        missed = [
            delivery for position, delivery in self._latest.values() if member.position < position <= self.position
        ]
        if missed and not self._give_one(member, missed):
            return
        member.advance(self.position, len(missed))
        self._join_live(member)

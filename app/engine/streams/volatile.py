"""Groups over volatile topics: the newest value of each key; a slow reader gets fewer of them, never late ones."""

from collections.abc import Callable

from app.engine.execution import Prepared, RequestContext
from app.engine.streams.declaring import Volatile
from app.engine.streams.group import Group, Machinery, chunks
from app.engine.streams.model import Delivery
from app.engine.streams.sharing import Shape
from app.engine.streams.subscription import Subscription
from app.kit.volatile import Watcher


class VolatileGroup(Group):
    """Subscribers to a volatile topic. Its position counts the values that were given, of whatever key."""

    def __init__(
        self,
        machinery: Machinery,
        shape: Shape,
        prepared: Prepared,
        stream: str,
        new_context: Callable[[], RequestContext],
    ) -> None:
        super().__init__(machinery, shape, prepared, stream, new_context)
        assert isinstance(shape.declared, Volatile)
        self._payload = shape.declared.payload
        self._watcher: Watcher | None = None
        self._latest: dict[str, tuple[int, Delivery]] = {}

    async def start(self) -> None:
        """Begins to watch. Raises Unavailable."""
        self._watcher = await self._machinery.hub.watch(self.stream, self.wake)
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
        assert self._watcher is not None
        values = self._watcher.take()
        if not values:
            return False
        made: list[tuple[int, Delivery | None]] = []
        position = self.position
        for value in values:
            payload = self._payload(value)
            if payload is None:
                continue
            position += 1
            delivery = await self._execute(payload, None)
            # Moved to the end: the values of all keys stay in the order of their age.
            self._latest.pop(value.key, None)
            self._latest[value.key] = (position, delivery)
            made.append((position, delivery))
        for deliveries, reached in chunks(made):
            if deliveries:
                await self._give(deliveries, reached)
        return True

    def _catch_up(self, member: Subscription) -> None:
        missed = [
            delivery for position, delivery in self._latest.values() if member.position < position <= self.position
        ]
        if missed and not self._give_one(member, missed):
            return
        member.advance(self.position, len(missed))
        self._join_live(member)

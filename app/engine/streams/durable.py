"""Groups over streams of the event table: each subscriber receives each event once, in order, however slow or late."""

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec
import structlog

from app.engine.declarations.cursors import Cursor
from app.engine.declarations.stream_cursors import seq_after, stream_cursor
from app.engine.declarations.stream_events import Appended
from app.engine.declarations.subscriptions import Durable
from app.engine.execution.encoding import encode
from app.engine.execution.failures import TimedOut
from app.engine.execution.operations import NotOpened
from app.engine.streams.group import BROKEN, Group, GroupRequest, StreamRuntime, chunks, end_of, pauses_s
from app.engine.streams.model import Delivery, EndReason
from app.engine.streams.subscription import State, Subscription
from app.kit.errors import Problem, ResyncRequired, Unavailable
from app.kit.events import Event
from app.kit.hub import Listener
from app.kit.loaders import Audience
from app.kit.single_flight import SingleFlight

BATCH: Final = 16
"""The maximum number of events that are executed concurrently."""

REPLAY_BATCH: Final = 4
"""The same in a replay. It is lower, since live events need the same connections."""

UNSHOWN: Final = encode({"errors": BROKEN, "data": None})
"""The response for an event whose execution failed unexpectedly. The failure is logged."""

log = structlog.get_logger(__name__)


class DurableGroup(Group):
    """Subscribers to a durable stream."""

    def __init__(self, runtime: StreamRuntime, request: GroupRequest) -> None:
        super().__init__(runtime, request)
        assert isinstance(request.key.declared, Durable)
        self._payload = request.key.declared.payload
        self._epoch: UUID
        self._listener: Listener | None = None
        self._making: SingleFlight[Delivery | None] = SingleFlight()
        self._advanced = asyncio.Event()
        self._replaying: dict[Subscription, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Begins to listen at the current position of the stream. Raises Unavailable."""
        self._listener = await self._runtime.hub.listen(self.stream, self.wake)
        self._epoch = self._runtime.hub.epoch
        self.position = self._listener.last

    def close(self) -> None:
        """Ends the group after its last subscriber has left."""
        super().close()
        if self._listener is not None:
            self._listener.close()
        self._making.cancel()
        for task in self._replaying.values():
            task.cancel()

    async def position_of(self, cursor: str) -> int:
        """The sequence number in a cursor of this stream. Raises ResyncRequired, Unavailable."""
        return await self.position_at(seq_after(self._epoch, self.stream, cursor))

    async def position_at(self, seq: int) -> int:
        """`seq`, if a subscription may start after this event. Raises ResyncRequired, Unavailable."""
        if seq > self.position and seq > await self._runtime.hub.top(self.stream):
            raise ResyncRequired
        if self.position - seq > self._runtime.replay_limit:
            raise ResyncRequired
        return seq

    def join(self, member: Subscription) -> None:
        """Begins to deliver the events after the subscriber's position."""
        self.members.add(member)
        if member.position == self.position:
            self._join_live(member)
        else:
            self._replay(member)

    def leave(self, member: Subscription, reason: EndReason) -> None:
        """Removes a subscriber."""
        super().leave(member, reason)
        if (task := self._replaying.pop(member, None)) is not None and task is not asyncio.current_task():
            task.cancel()

    def resume(self, member: Subscription) -> None:
        """Delivers what a subscriber missed while its sink refused deliveries."""
        self._replay(member)

    def lag_of(self, member: Subscription) -> int:
        """The number of events that were not delivered to this subscriber yet."""
        newest = self.position if self._listener is None else self._listener.top
        return max(0, newest - member.position)

    async def _advance(self) -> bool:
        assert self._listener is not None
        events = await self._listener.take(BATCH)
        if not events:
            return False
        for deliveries, position in chunks(await self._deliveries(events)):
            await self._give(deliveries, position)
        # Wakes those who wait now. Later callers wait for the next change.
        self._advanced.set()
        self._advanced.clear()
        return True

    def _made(self, events: Sequence[Event]) -> list[tuple[int, Delivery | None]] | None:
        """The deliveries of these events, if all are still in the memo; otherwise None."""
        made: list[tuple[int, Delivery | None]] = []
        for event in events:
            known = self._runtime.memo.get(self.number, event.seq)
            if isinstance(known, msgspec.UnsetType):
                return None
            made.append((event.seq, known))
        return made

    async def _deliveries(self, events: Sequence[Event]) -> list[tuple[int, Delivery | None]]:
        made = await asyncio.gather(*map(self._delivery, events))
        return [(event.seq, delivery) for event, delivery in zip(events, made, strict=True)]

    async def _delivery(self, event: Event) -> Delivery | None:
        """The delivery of an event, executed once for all members and kept in the memo."""
        known = self._runtime.memo.get(self.number, event.seq)
        if not isinstance(known, msgspec.UnsetType):
            return known
        return await self._making.join(event.seq, lambda: self._make(event))

    async def _make(self, event: Event) -> Delivery | None:
        cursor = stream_cursor(self._epoch, self.stream, event.seq)
        try:
            delivery = await self._answer(event, cursor)
        except (Problem, NotOpened):
            raise
        except Exception:
            # Delivered as an error: a client that reconnected would receive the event again, and never get past it.
            log.exception("streams.event_failed", stream=self.stream, seq=event.seq)
            delivery = Delivery(UNSHOWN, cursor)
        self._runtime.memo.put(self.number, event.seq, delivery)
        return delivery

    async def _answer(self, event: Event, cursor: Cursor) -> Delivery | None:
        payload = self._payload(event)
        if payload is None:
            return None
        payload.appended = Appended(cursor, event.created_at)
        pauses = pauses_s()
        while True:
            try:
                await self._authorise()
                response = await self._execute(payload)
                return Delivery(encode(response.body()), cursor)
            except (Unavailable, TimedOut):
                await asyncio.sleep(next(pauses))

    async def _authorise(self) -> None:
        """Checks again whether this audience may follow the stream."""
        if self.key.audience is not Audience.PUBLIC:
            opened = await self._runtime.engine.open_stream(self._prepared, self._new_context())
            if opened.stream != self.stream:
                raise ResyncRequired

    def _replay(self, member: Subscription) -> None:
        member.state = State.REPLAYING
        self._runtime.counters.replays += 1
        self._replaying[member] = asyncio.get_running_loop().create_task(self._bring_up(member))

    async def _bring_up(self, member: Subscription) -> None:
        """Delivers the events between the positions of the subscriber and the group, and then makes it live."""
        try:
            pauses = pauses_s()
            while member.state is State.REPLAYING:
                try:
                    await self._replay_some(member)
                except Unavailable:
                    await asyncio.sleep(next(pauses))
        except (NotOpened, Problem) as refusal:
            self._runtime.counters.resyncs += isinstance(refusal, ResyncRequired)
            member.finish(*end_of(refusal))
        except Exception as failure:
            log.exception("streams.replay_failed", stream=self.stream)
            member.finish(*end_of(failure))
        finally:
            if self._replaying.get(member) is asyncio.current_task():
                del self._replaying[member]

    async def _replay_some(self, member: Subscription) -> None:
        if member.position == self.position:
            self._join_live(member)
            return
        if member.position > self.position:
            # Its cursor comes from a process that is ahead of this one.
            self._runtime.hub.check_soon()
            await self._advanced.wait()
            return
        due = min(self.position - member.position, BATCH)
        events = await self._runtime.hub.history(self.stream, member.position, due)
        # In another epoch the same numbers are other events.
        if not events or self._runtime.hub.epoch != self._epoch:
            raise ResyncRequired
        made = self._made(events)
        if made is None:
            async with self._runtime.replays:
                made = await self._deliveries(events[:REPLAY_BATCH])
        for deliveries, position in chunks(made):
            if member.state is not State.REPLAYING:
                return
            if deliveries and not self._give_one(member, deliveries):
                return
            member.advance(position, len(deliveries))

"""A group: equal subscribers, for whom each event is executed and encoded once."""

import asyncio
import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec
import structlog

from app.engine.declarations.subscriptions import Followed
from app.engine.execution.encoding import encode
from app.engine.execution.engine import Engine
from app.engine.execution.failures import MASKED
from app.engine.execution.operations import NotOpened, Prepared, RequestContext
from app.engine.execution.subscription_key import SubscriptionKey
from app.engine.streams.memo import Memo
from app.engine.streams.model import Counters, Delivery
from app.engine.streams.subscription import State, Subscription
from app.kit.errors import Code, Problem, ResyncRequired, Unavailable
from app.kit.hub import Hub

CHUNK_BYTES: Final = 64 * 1024
"""A subscriber is handed about so much at once; then it is asked whether it can take more."""

TURN: Final = 512
"""So many subscribers are served before the event loop gets a turn, which sends what was written."""

PAUSES_S: Final = (0.05, 0.1, 0.2, 0.5, 1.0)

BROKEN: Final = [{"message": MASKED, "extensions": {"code": Code.INTERNAL}}]
"""The message to subscribers when an unexpected error occurs; the log has the details."""

log = structlog.get_logger(__name__)
_numbers = itertools.count(1)


class StreamRuntime(msgspec.Struct, frozen=True, eq=False):
    """What all groups of a process work with."""

    engine: Engine
    hub: Hub
    memo: Memo
    counters: Counters
    replays: asyncio.Semaphore
    """How many subscribers may have events executed for themselves at once; the live ones do not queue for it."""
    forget: "Callable[[Group, Subscription], None]"
    """Called for each subscriber that leaves its group."""
    replay_limit: int
    """How far back a subscriber may begin, in events."""


class GroupRequest(msgspec.Struct, frozen=True, eq=False):
    """What the subscribers of a group have in common."""

    key: SubscriptionKey
    prepared: Prepared
    followed: Followed
    new_context: Callable[[], RequestContext]
    """Makes the context of one event: nobody's for a public group, else the audience's."""


class Group(ABC):
    """Subscribers to one stream with one document, one set of variables and one audience."""

    def __init__(self, runtime: StreamRuntime, request: GroupRequest) -> None:
        self.key = request.key
        self.stream = request.followed.stream
        self.position = 0
        """The newest event that the live subscribers were given, or that does not concern them."""
        self.delivered = 0
        """Events handed to subscribers that were live all the time."""
        self.ended = False
        """It has given up its stream, and would give a newcomer nothing."""
        self.members: set[Subscription] = set()
        self.number = next(_numbers)
        self._live: dict[Subscription, None] = {}
        self._runtime = runtime
        # The variables never change here, so that the plan of the first event serves all.
        self._prepared = msgspec.structs.replace(request.prepared, plans=[])
        self._new_context = request.new_context
        self._pumping: asyncio.Task[None] | None = None
        self._woken = False

    @property
    def document(self) -> str:
        """What its subscribers ask for, as the engine prints it."""
        return self.key.document

    @abstractmethod
    async def start(self) -> None:
        """Begins to listen. Raises Unavailable."""

    @abstractmethod
    async def _advance(self) -> bool:
        """Gives the live subscribers what is due; False when nothing is."""

    @abstractmethod
    def resume(self, member: Subscription) -> None:
        """A parked subscriber's sink can take again."""

    @abstractmethod
    def lag_of(self, member: Subscription) -> int:
        """Events that this subscriber has not been given yet."""

    def close(self) -> None:
        """Nobody is left."""
        if self._pumping is not None and self._pumping is not asyncio.current_task():
            self._pumping.cancel()

    def leave(self, member: Subscription) -> None:
        """Removes a subscriber."""
        if member.state is State.LIVE:
            member.leave_live(State.CLOSED, self.position, 0)
            del self._live[member]
        member.state = State.CLOSED
        self.members.discard(member)
        self._runtime.forget(self, member)

    def finish(self, errors: list[dict[str, Any]] | None) -> None:
        """Ends all subscribers; no other can join any more."""
        self.ended = True
        for member in list(self.members):
            member.finish(errors)

    def wake(self) -> None:
        """There may be something to give."""
        self._woken = True
        if self._pumping is None:
            self._pumping = asyncio.get_running_loop().create_task(self._pump())

    async def _pump(self) -> None:
        """Works while there is work. An idle group has no task."""
        pauses = pauses_s()
        try:
            while self._woken:
                self._woken = False
                try:
                    while await self._advance():
                        pauses = pauses_s()
                except Unavailable as problem:
                    # What is due stays due.
                    log.warning("streams.delayed", stream=self.stream, error=problem.message)
                    self._woken = True
                    await asyncio.sleep(next(pauses))
        except NotOpened as refusal:
            self.finish(refusal.errors)
        except Problem as problem:
            if isinstance(problem, ResyncRequired):
                self._runtime.counters.resyncs += len(self.members)
            self.finish(errors_of(problem))
        except Exception:
            log.exception("streams.failed", stream=self.stream)
            self.finish(BROKEN)
        finally:
            self._pumping = None

    def _join_live(self, member: Subscription) -> None:
        member.go_live()
        self._live[member] = None

    async def _give(self, deliveries: Sequence[Delivery], position: int) -> None:
        """Hands events to the live subscribers, who stand at `position` from here on."""
        before, self.position = self.position, position
        if not deliveries:
            return
        self.delivered += len(deliveries)
        served = 0
        for member in list(self._live):
            if member.state is not State.LIVE:
                continue
            try:
                taken = member.sink.deliver(deliveries)
            except Exception:
                self._let_go(member)
                continue
            if taken:
                served += 1
                if not served % TURN:
                    await asyncio.sleep(0)
            elif member.is_open:
                member.leave_live(State.PARKED, before, len(deliveries))
                del self._live[member]
        self._runtime.counters.deliveries += served * len(deliveries)

    def _give_one(self, member: Subscription, deliveries: Sequence[Delivery]) -> bool:
        """Hands events to a subscriber that is not live; where it does not take them it is parked or let go."""
        try:
            taken = member.sink.deliver(deliveries)
        except Exception:
            self._let_go(member)
            return False
        if not taken:
            if member.is_open:
                member.state = State.PARKED
            return False
        self._runtime.counters.deliveries += len(deliveries)
        return True

    def _let_go(self, member: Subscription) -> None:
        """A subscriber whose sink fails goes alone."""
        log.exception("streams.sink_failed", stream=self.stream)
        member.finish(BROKEN)

    async def _execute(self, payload: Any, cursor: str | None) -> Delivery:
        """Executes one event. Raises Unavailable: ask again, the event is not lost."""
        response = await self._runtime.engine.answer_event(self._prepared, self._new_context(), payload)
        self._runtime.counters.executions += 1
        return Delivery(encode(response.body()), cursor)


def errors_of(problem: Problem) -> list[dict[str, Any]]:
    """A problem as the errors that a client sees."""
    return [{"message": problem.message, "extensions": {"code": problem.code}}]


def chunks(events: Sequence[tuple[int, Delivery | None]]) -> Iterator[tuple[list[Delivery], int]]:
    """Events as they are handed over: about CHUNK_BYTES at a time, and where that gets to."""
    deliveries: list[Delivery] = []
    size = position = 0
    for position, delivery in events:
        if delivery is None:
            continue
        deliveries.append(delivery)
        size += len(delivery.body)
        if size >= CHUNK_BYTES:
            yield deliveries, position
            deliveries, size = [], 0
    yield deliveries, position


def pauses_s() -> Iterator[float]:
    """How long to wait before a server that does not answer is asked again."""
    return itertools.chain(PAUSES_S, itertools.repeat(PAUSES_S[-1]))

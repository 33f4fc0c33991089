"""A group of equal subscribers, for which each event is executed and encoded once."""

import asyncio
import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec
import structlog

from app.engine.declarations.subscriptions import Followed
from app.engine.execution.engine import Engine
from app.engine.execution.failures import MASKED
from app.engine.execution.operations import NotOpened, Prepared, RequestContext, Response
from app.engine.execution.subscription_key import SubscriptionKey
from app.engine.streams.memo import Memo
from app.engine.streams.model import Counters, Delivery, EndReason
from app.engine.streams.subscription import State, Subscription
from app.kit.errors import Code, Problem, ResyncRequired, Unavailable
from app.kit.hub import Hub

CHUNK_BYTES: Final = 64 * 1024
"""The approximate size of what is delivered to a subscriber at once, before it may refuse more."""

TURN: Final = 512
"""The number of deliveries between two turns of the event loop, which sends what was written."""

PAUSES_S: Final = (0.05, 0.1, 0.2, 0.5, 1.0)

BROKEN: Final = [{"message": MASKED, "extensions": {"code": Code.INTERNAL}}]
"""The message to subscribers when an unexpected error occurs; the log has the details."""

log = structlog.get_logger(__name__)
_numbers = itertools.count(1)


class StreamRuntime(msgspec.Struct, frozen=True, eq=False):
    """What all groups of a process share."""

    engine: Engine
    hub: Hub
    memo: Memo
    counters: Counters
    replays: asyncio.Semaphore
    """Limits how many subscribers may have events executed for a replay at once. Live ones are not limited."""
    forget: "Callable[[Group, Subscription, EndReason], None]"
    """Called for each subscriber that leaves its group."""
    replay_limit: int
    """The maximum number of events that a subscription may start back."""


class GroupRequest(msgspec.Struct, frozen=True, eq=False):
    """What the subscribers of a group have in common."""

    key: SubscriptionKey
    prepared: Prepared
    followed: Followed
    new_context: Callable[[], RequestContext]
    """Creates the context of one event: that of an anonymous caller for a public group, else of the audience."""


class Group(ABC):
    """Subscribers to one stream with one document, one set of variables and one audience."""

    def __init__(self, runtime: StreamRuntime, request: GroupRequest) -> None:
        self.key = request.key
        self.stream = request.followed.stream
        self.position = 0
        """The newest event that was delivered to the live subscribers, or that they need not receive."""
        self.delivered = 0
        """The number of events delivered to a subscriber that has always been live."""
        self.ended = False
        """Whether the group has ended. A new subscriber would receive nothing."""
        self.members: set[Subscription] = set()
        self.number = next(_numbers)
        self._live: dict[Subscription, None] = {}
        self._runtime = runtime
        # The variables never change here, so the plan of the first event is used for all.
        self._prepared = msgspec.structs.replace(request.prepared, plans=[])
        self._new_context = request.new_context
        self._pumping: asyncio.Task[None] | None = None
        self._woken = False

    @property
    def document(self) -> str:
        """The operation of its subscribers, as the engine prints it."""
        return self.key.document

    @abstractmethod
    async def start(self) -> None:
        """Begins to listen. Raises Unavailable."""

    @abstractmethod
    async def _advance(self) -> bool:
        """Delivers pending events to the live subscribers. Returns False if there are none."""

    @abstractmethod
    def resume(self, member: Subscription) -> None:
        """Continues with a parked subscriber whose sink accepts deliveries again."""

    @abstractmethod
    def lag_of(self, member: Subscription) -> int:
        """The number of events that were not delivered to this subscriber yet."""

    def close(self) -> None:
        """Ends the group after its last subscriber has left."""
        if self._pumping is not None and self._pumping is not asyncio.current_task():
            self._pumping.cancel()

    def leave(self, member: Subscription, reason: EndReason) -> None:
        """Removes a subscriber."""
        if member.state is State.LIVE:
            member.leave_live(State.CLOSED, self.position, 0)
            del self._live[member]
        member.state = State.CLOSED
        self.members.discard(member)
        self._runtime.forget(self, member, reason)

    def finish(self, failure: Exception) -> None:
        """Ends all subscribers because of this failure. No other can join."""
        self.ended = True
        if isinstance(failure, ResyncRequired):
            self._runtime.counters.resyncs += len(self.members)
        for member in list(self.members):
            member.finish(*end_of(failure))

    def wake(self) -> None:
        """Delivers what is pending, in a task."""
        self._woken = True
        if self._pumping is None:
            self._pumping = asyncio.get_running_loop().create_task(self._pump())

    async def _pump(self) -> None:
        """Delivers while events are pending. An idle group has no task."""
        pauses = pauses_s()
        try:
            while self._woken:
                self._woken = False
                try:
                    while await self._advance():
                        pauses = pauses_s()
                except Unavailable as problem:
                    # The events stay pending.
                    log.warning("streams.delayed", stream=self.stream, error=problem.message)
                    self._woken = True
                    await asyncio.sleep(next(pauses))
        except (NotOpened, Problem) as refusal:
            self.finish(refusal)
        except Exception as failure:
            log.exception("streams.failed", stream=self.stream)
            self.finish(failure)
        finally:
            self._pumping = None

    def _join_live(self, member: Subscription) -> None:
        member.go_live()
        self._live[member] = None

    async def _give(self, deliveries: Sequence[Delivery], position: int) -> None:
        """Delivers events to the live subscribers, whose new position is `position`."""
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
            except Exception as failure:
                self._let_go(member, failure)
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
        """Delivers events to a subscriber that is not live. If its sink refuses or fails, it is parked or ended."""
        try:
            taken = member.sink.deliver(deliveries)
        except Exception as failure:
            self._let_go(member, failure)
            return False
        if not taken:
            if member.is_open:
                member.state = State.PARKED
            return False
        self._runtime.counters.deliveries += len(deliveries)
        return True

    def _let_go(self, member: Subscription, failure: Exception) -> None:
        """Ends a subscriber whose sink failed. The others of its group continue."""
        log.error("streams.sink_failed", stream=self.stream, exc_info=failure)
        member.finish(*end_of(failure))

    async def _execute(self, payload: Any) -> Response:
        """Executes one event. Raises Unavailable: the event is not lost, and may be retried."""
        response = await self._runtime.engine.answer_event(self._prepared, self._new_context(), payload)
        self._runtime.counters.executions += 1
        return response


def errors_of(problem: Problem) -> list[dict[str, Any]]:
    """A problem as the errors that a client sees."""
    return [{"message": problem.message, "extensions": {"code": problem.code}}]


def end_of(failure: Exception) -> tuple[EndReason, list[dict[str, Any]]]:
    """How a failure ends a subscription: the reason, and the errors that the client sees."""
    match failure:
        case ResyncRequired():
            return EndReason.RESYNC_REQUIRED, errors_of(failure)
        case NotOpened():
            # The viewer is asked for again with each event: an error there is a refusal.
            return _REFUSED.get(_code(failure.errors), EndReason.FAILED), failure.errors
        case Problem():
            return _REFUSED.get(failure.code, EndReason.FAILED), errors_of(failure)
    return EndReason.FAILED, BROKEN


_REFUSED: Final = {
    Code.FORBIDDEN: EndReason.FORBIDDEN,
    Code.UNAUTHENTICATED: EndReason.FORBIDDEN,
    # What was deleted is nobody's.
    Code.NOT_FOUND: EndReason.FORBIDDEN,
}


def _code(errors: list[dict[str, Any]]) -> Code:
    return Code(errors[0]["extensions"]["code"])


def chunks(events: Sequence[tuple[int, Delivery | None]]) -> Iterator[tuple[list[Delivery], int]]:
    """Splits events into chunks of about CHUNK_BYTES, each with the position after it."""
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
    """The pauses between retries of a server that does not answer."""
    return itertools.chain(PAUSES_S, itertools.repeat(PAUSES_S[-1]))

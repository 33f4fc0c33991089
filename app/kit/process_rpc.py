"""Remote procedure calls between the server processes of one deployment, over Redis pub/sub.

A question goes to every process that listens, this one included, and each replies for itself. PUBLISH returns how many
received it, so a call ends once all have replied; its deadline is for a process that has died or hangs. Without Redis
a process still has its own reply. Anyone who can publish in Redis can call and reply as any process: Redis is trusted.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from inspect import isawaitable
from typing import Any, Final
from uuid import uuid4

import msgspec
import structlog
from broadcaster import Event
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.kit.pubsub import GAP, broadcast_over
from app.kit.tasks import end

QUESTIONS: Final = "moneta:peers"
"""The channel on which every process receives every question; replies go to a channel of the sender. The name stays:
during an upgrade, processes of two releases call each other."""

MAX_REPLY_BYTES: Final = 2 * 1024 * 1024
MAX_ASKING: Final = 256
"""Questions of this process that may be open at once."""
MAX_ANSWERING: Final = 64
"""Questions of others that may be under way at once."""

Handler = Callable[[Any], Any | Awaitable[Any]]
"""Returns a reply to a payload, both JSON values. It may be called twice for one question."""

log = structlog.get_logger(__name__)


class Replies(msgspec.Struct, frozen=True):
    """The result of a call."""

    replies: list[Any]
    """One of each process that answered in time, this one's first."""
    complete: bool
    """Whether those are all processes. False: one failed or was too slow, or Redis did not answer."""


class _Question(msgspec.Struct, frozen=True):
    id: str
    sender: str
    topic: str
    payload: Any


class _Reply(msgspec.Struct, frozen=True):
    question: str
    sender: str
    failed: bool
    body: Any = None


class _Asked:
    """A call of ours: how many processes received it, and the replies so far.

    Our own copy, coming back from Redis, stands for our own answer: it proves that we are listening.
    """

    def __init__(self) -> None:
        self.answered: dict[str, _Reply] = {}
        self.expected: int | None = None
        self.settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def expect(self, processes: int) -> None:
        self.expected = processes
        self._settle()

    def hear(self, reply: _Reply) -> None:
        self.answered.setdefault(reply.sender, reply)
        self._settle()

    def give_up(self) -> None:
        if not self.settled.done():
            self.settled.set_result(None)

    @property
    def all_heard(self) -> bool:
        return self.expected is not None and len(self.answered) >= self.expected

    def _settle(self) -> None:
        if self.all_heard:
            self.give_up()


class ProcessRpc:
    """One process, which calls the others and is called by them. Before `start` and after `stop` it calls only itself.

    It has a connection of its own, so that replies do not wait behind events.
    """

    def __init__(self, redis: "Redis", *, within_s: float = 2.0) -> None:
        """A process that has not answered within `within_s` is not waited for."""
        self.within_s = within_s
        self._redis = redis
        self._broadcast = broadcast_over(redis)
        self._name = uuid4().hex
        self._handlers: dict[str, Handler] = {}
        self._asked: dict[str, _Asked] = {}
        self._listening: asyncio.Task[None] | None = None
        self._answering: set[asyncio.Task[None]] = set()
        self._publishing: set[asyncio.Task[None]] = set()

    def register(self, topic: str, handler: Handler) -> None:
        """Registers the handler of a topic in this process. Every process must register the same topics."""
        if topic in self._handlers:
            raise ValueError(f"{topic} is answered already")
        self._handlers[topic] = handler

    async def start(self) -> None:
        """Begins to listen; whether Redis is there or not, it returns at once."""
        await self._broadcast.connect()
        self._listening = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        """Stops listening. Questions under way get no further replies."""
        if self._listening is None:
            return
        listening, self._listening = self._listening, None
        await end(listening, *self._answering, *self._publishing)
        await self._broadcast.disconnect()

    async def call(self, topic: str, payload: Any) -> Replies:
        """Calls all processes. The handler of this one is called directly, and what it raises is raised."""
        if self._listening is None:
            return Replies([await self._own_answer(topic, payload)], complete=True)
        if len(self._asked) >= MAX_ASKING:
            log.warning("rpc.too_many_questions", topic=topic)
            return Replies([await self._own_answer(topic, payload)], complete=False)
        question, asked = _Question(uuid4().hex, self._name, topic, payload), _Asked()
        self._asked[question.id] = asked
        publishing = _begin(self._publish(question, asked), self._publishing)
        try:
            own = await self._own_answer(topic, payload)
            await asyncio.wait([asked.settled], timeout=self.within_s)
        finally:
            del self._asked[question.id]
            publishing.cancel()
        others = [reply for reply in asked.answered.values() if reply.sender != self._name]
        complete = asked.all_heard and self._name in asked.answered and not any(reply.failed for reply in others)
        if not complete:
            log.warning("rpc.incomplete", topic=topic, expected=asked.expected, answered=len(asked.answered))
        return Replies([own, *(reply.body for reply in others if not reply.failed)], complete)

    async def _own_answer(self, topic: str, payload: Any) -> Any:
        answer = self._handlers[topic](payload)
        return await answer if isawaitable(answer) else answer

    async def _publish(self, question: _Question, asked: _Asked) -> None:
        try:
            asked.expect(await self._redis.publish(QUESTIONS, msgspec.json.encode(question)))
        except (RedisError, OSError) as error:
            log.warning("rpc.unreachable", error=str(error) or type(error).__name__)
            asked.give_up()

    async def _listen(self) -> None:
        # The replies' channel first: no process can reply before we listen.
        async with (
            self._broadcast.subscribe(_replies_to(self._name)) as replies,
            self._broadcast.subscribe(QUESTIONS) as questions,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(_read(replies.get, _Reply, self._hear_reply))
            group.create_task(_read(questions.get, _Question, self._hear_question))

    def _hear_reply(self, reply: _Reply) -> None:
        # A reply that comes too late is ignored.
        if (asked := self._asked.get(reply.question)) is not None:
            asked.hear(reply)

    def _hear_question(self, question: _Question) -> None:
        if question.sender == self._name:
            self._hear_reply(_Reply(question.id, self._name, failed=False))
        elif len(self._answering) >= MAX_ANSWERING:
            log.warning("rpc.too_busy", topic=question.topic)
        else:
            _begin(self._reply_to(question), self._answering)

    async def _reply_to(self, question: _Question) -> None:
        try:
            body = await self._own_answer(question.topic, question.payload)
            message = msgspec.json.encode(_Reply(question.id, self._name, failed=False, body=body))
            if len(message) > MAX_REPLY_BYTES:
                raise ValueError(f"a reply of {len(message)} bytes; {MAX_REPLY_BYTES} is the limit")
        except Exception:
            # For example a topic of another release. Replying at once spares the caller the wait.
            log.exception("rpc.failed", topic=question.topic)
            message = msgspec.json.encode(_Reply(question.id, self._name, failed=True))
        try:
            await self._redis.publish(_replies_to(question.sender), message)
        except (RedisError, OSError) as error:
            log.warning("rpc.unreachable", error=str(error) or type(error).__name__)


def _replies_to(sender: str) -> str:
    return f"{QUESTIONS}:{sender}"


def _begin(work: Coroutine[Any, Any, None], among: "set[asyncio.Task[None]]") -> "asyncio.Task[None]":
    task = asyncio.create_task(work)
    among.add(task)
    task.add_done_callback(among.discard)
    return task


async def _read(take: Callable[[], Awaitable[Event]], kind: type[Any], hear: Callable[[Any], None]) -> None:
    while True:
        message = (await take()).message
        if message == GAP:
            # What was lost is noticed at the caller's deadline.
            continue
        try:
            heard = msgspec.json.decode(message, type=kind)
        except (msgspec.MsgspecError, UnicodeError) as error:
            log.warning("rpc.bad_message", error=str(error))
            continue
        hear(heard)

"""Volatile topics: only the latest value of each key matters, so values conflate and nothing is promised to arrive."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

VOLATILE_CHANNEL = "moneta:volatile"
"""The one channel of all volatile topics: lines of topic, key, and the payload as JSON."""

LATEST_TTL_S = 3600
KEYS_LIMIT = 10_000
"""Keys of one topic that a process remembers; the one that was longest without a change is forgotten first. Where Redis
would hold more, it clears the topic."""

log = structlog.get_logger(__name__)

AT_ONCE = 100
"""Values that are published in one step."""

# Stored and published in one step: a reader that subscribes first and then reads misses nothing. Each value has its
# topic's key, and its own key, head and body.
_PUBLISH = """
for at, stored in ipairs(KEYS) do
    local key, head, body = ARGV[3 * at + 1], ARGV[3 * at + 2], ARGV[3 * at + 3]
    if redis.call('HEXISTS', stored, key) == 0 and redis.call('HLEN', stored) >= tonumber(ARGV[3]) then
        redis.call('DEL', stored)
    end
    redis.call('HSET', stored, key, body)
    redis.call('EXPIRE', stored, ARGV[1])
    redis.call('PUBLISH', ARGV[2], head .. body)
end
"""


def latest_key(topic: str) -> str:
    """Where Redis keeps the latest values of a topic."""
    return f"moneta:latest:{topic}"


class Latest(msgspec.Struct, frozen=True):
    """The newest value of a key."""

    key: str
    payload: Any


class VolatileTopics:
    """The latest values, in Redis."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._publish = redis.register_script(_PUBLISH)
        self._pending: dict[tuple[str, str], bytes] = {}
        self._publishing: asyncio.Task[None] | None = None

    async def publish(self, topic: str, key: str, payload: Any) -> bool:
        """Makes `payload` the latest of `key`; returns whether Redis has taken it: a lost one is logged. No name may
        have a line break.
        """
        _check(topic, key)
        return await self._publish_all([(topic, key, msgspec.json.encode(payload))])

    def publish_soon(self, topic: str, key: str, payload: Any) -> None:
        """Publishes without waiting. Values of a key that arrive while one is being published conflate."""
        _check(topic, key)
        body = msgspec.json.encode(payload)
        # Behind all others, although the key may be known.
        self._pending.pop((topic, key), None)
        self._pending[topic, key] = body
        if self._publishing is None or self._publishing.done():
            self._publishing = asyncio.get_running_loop().create_task(self._publish_pending())

    async def _publish_pending(self) -> None:
        while self._pending:
            taken = [(topic, key, body) for (topic, key), body in islice(self._pending.items(), AT_ONCE)]
            for topic, key, _ in taken:
                del self._pending[topic, key]
            await self._publish_all(taken)

    async def _publish_all(self, values: Sequence[tuple[str, str, bytes]]) -> bool:
        args: list[Any] = [LATEST_TTL_S, VOLATILE_CHANNEL, KEYS_LIMIT]
        for topic, key, body in values:
            args += [key, f"{topic}\n{key}\n", body]
        try:
            await self._publish(keys=[latest_key(topic) for topic, *_ in values], args=args)
        except (RedisError, OSError) as error:
            log.warning("volatile.publish_failed", topic=values[0][0], error=str(error) or type(error).__name__)
            return False
        return True

    async def latest(self, topic: str) -> dict[str, Any] | None:
        """The latest value of each key; None where Redis does not answer."""
        try:
            stored: Any = await self._redis.hgetall(latest_key(topic))
            return {key.decode(): msgspec.json.decode(body) for key, body in stored.items()}
        except (RedisError, OSError, msgspec.MsgspecError, UnicodeError) as error:
            log.warning("volatile.read_failed", topic=topic, error=str(error) or type(error).__name__)
            return None


def _check(topic: str, key: str) -> None:
    if "\n" in topic or "\n" in key:
        raise ValueError("neither a topic nor a key may have a line break")


class Topic:
    """The latest values of a topic in this process, in the order of their last change, and its watchers."""

    __slots__ = ("_heard", "_values", "_version", "complete", "name", "watchers")

    def __init__(self, name: str) -> None:
        self.name = name
        self.watchers: set[Watcher] = set()
        self.complete = False
        """Whether everything that Redis had was read."""
        self._values: dict[str, tuple[int, Latest]] = {}
        self._version = 0
        self._heard: dict[str, Any] | None = None

    @property
    def version(self) -> int:
        """Counts changes."""
        return self._version

    def hear(self, key: str, payload: Any) -> None:
        """Stores a new value of a key."""
        if self._heard is not None:
            self._heard[key] = payload
        self._set(key, payload)
        self._wake()

    async def read(self, volatile: VolatileTopics) -> None:
        """Reads what Redis has. Values received meanwhile are newer, so they prevail."""
        heard: dict[str, Any] = {}
        self._heard = heard
        stored = await volatile.latest(self.name)
        if self._heard is not heard:
            # Another reading began after this one, and will know more.
            return
        self._heard = None
        if stored is None:
            return
        self.complete = True
        changed = [
            (key, payload)
            for key, payload in (stored | heard).items()
            if key not in self._values or self._values[key][1].payload != payload
        ]
        for key, payload in changed:
            self._set(key, payload)
        if changed:
            self._wake()

    def since(self, version: int) -> list[Latest]:
        """What changed after `version`, oldest change first."""
        changed = []
        for at, latest in reversed(self._values.values()):
            if at <= version:
                break
            changed.append(latest)
        return changed[::-1]

    def _set(self, key: str, payload: Any) -> None:
        self._values.pop(key, None)
        if len(self._values) >= KEYS_LIMIT:
            del self._values[next(iter(self._values))]
        self._version += 1
        self._values[key] = (self._version, Latest(key, payload))

    def _wake(self) -> None:
        for watcher in tuple(self.watchers):
            watcher.wake()


class Watcher:
    """One consumer's view of a volatile topic."""

    __slots__ = ("_leave", "_notify", "_seen", "_topic")

    def __init__(self, topic: Topic, notify: Callable[[], None], leave: Callable[["Watcher", Topic], None]) -> None:
        self._topic = topic
        self._notify = notify
        self._leave = leave
        self._seen = 0

    @property
    def topic(self) -> str:
        """The topic's name."""
        return self._topic.name

    def take(self) -> list[Latest]:
        """What changed since the last take, the newest value of each key; the first time everything known."""
        changed = self._topic.since(self._seen)
        self._seen = self._topic.version
        return changed

    def close(self) -> None:
        """Stops watching. Idempotent."""
        self._leave(self, self._topic)

    def wake(self) -> None:
        """Notifies the consumer that there may be something to take."""
        try:
            self._notify()
        except Exception:
            log.exception("volatile.notify_failed", topic=self._topic.name)

"""Rate limits over failures, counted in Redis for each subject. Without Redis no attempt is allowed.

An attempt takes a slot before anything is checked, and returns it unless it counts as a failure. So parallel attempts
get no more guesses than successive ones, and an attempt that succeeds, or is never answered, is not counted. While all
slots are taken but allowance is left, an attempt waits until those before it are settled.
"""

import asyncio
import contextlib
import math
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final, NamedTuple
from weakref import WeakValueDictionary

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.kit.clock import Clock
from app.kit.errors import RateLimited, Unavailable
from app.kit.work import free_to_wait

# The type, for those who pass the client on and may not import its library.
__all__ = ["Attempt", "Charge", "Limit", "RateLimiter", "Redis"]

PATIENCE_S: Final = 3.0
"""Seconds that Redis gets to count an attempt, with everything that its client tries again."""
SLOT_WAIT_S: Final = 12.0
"""Seconds that an attempt waits for a slot."""
SLOT_CHECK_S: Final = 0.02
"""Seconds between two checks for a free slot."""
LAPSE: Final = timedelta(minutes=1)
"""For how long an attempt holds its slot when its process has died."""
FIRST_PAUSE: Final = timedelta(seconds=1)

_BUSY: Final = -1

# Two sorted sets for each subject: failures by time, and the slots of attempts that are not settled yet, by when they
# lapse. All subjects have a slot, or none is taken. An answer above 0 is how long to wait before trying again.
_TAKE = """
local now, lapses = tonumber(ARGV[1]), tonumber(ARGV[2])
local wait, busy = 0, false
for i = 1, #KEYS / 2 do
    local failures, slots = KEYS[2 * i - 1], KEYS[2 * i]
    local attempts, window = tonumber(ARGV[4 * i]), tonumber(ARGV[4 * i + 1])
    local first, longest = tonumber(ARGV[4 * i + 2]), tonumber(ARGV[4 * i + 3])
    redis.call('ZREMRANGEBYSCORE', failures, '-inf', now - window)
    redis.call('ZREMRANGEBYSCORE', slots, '-inf', now)
    local free = attempts - redis.call('ZCARD', failures)
    if free <= 0 and longest == 0 then
        local oldest = tonumber(redis.call('ZRANGE', failures, 0, 0, 'WITHSCORES')[2])
        wait = math.max(wait, math.min(oldest, now) + window - now)
    elseif free <= 0 then
        local newest = tonumber(redis.call('ZRANGE', failures, -1, -1, 'WITHSCORES')[2])
        wait = math.max(wait, math.min(newest, now) + math.min(longest, first * 2 ^ -free) - now)
        free = 1
    end
    busy = busy or redis.call('ZCARD', slots) >= free
end
if wait > 0 then return math.ceil(wait) end
if busy then return -1 end
for i = 1, #KEYS / 2 do
    redis.call('ZADD', KEYS[2 * i], now + lapses, ARGV[3])
    redis.call('PEXPIRE', KEYS[2 * i], lapses)
end
return 0
"""

_SETTLE = """
for i = 1, #KEYS / 2 do
    redis.call('ZREM', KEYS[2 * i], ARGV[2])
    if ARGV[3] == '1' then
        redis.call('ZADD', KEYS[2 * i - 1], ARGV[1], ARGV[2])
        redis.call('PEXPIRE', KEYS[2 * i - 1], ARGV[3 + i])
    end
end
"""


class Limit(msgspec.Struct, frozen=True):
    """`attempts` failures within any span of `window`, for each subject. `name` keeps limits apart.

    Beyond them no attempt is allowed; with `longest_pause`, one after each pause, which doubles with each failure from
    a second up to that: such a limit slows guessing and locks no user out.
    """

    name: str
    attempts: int
    window: timedelta
    longest_pause: timedelta | None = None

    def of(self, subject: str | None) -> list["Charge"]:
        """What an attempt is charged to; nothing where the subject is not known."""
        return [] if subject is None else [Charge(self, subject)]


class Charge(NamedTuple):
    """Which subject an attempt is charged to, and its limit."""

    limit: Limit
    subject: str

    @property
    def keys(self) -> tuple[str, str]:
        """The Redis keys of failures and of slots, stored as `places`: during an upgrade, two releases share them."""
        # A digest: Redis holds no e-mail addresses, and no subject can forge another's key.
        hashed = sha256(self.subject.encode("utf-8", "surrogatepass")).hexdigest()
        key = f"moneta:limit:{self.limit.name}:{hashed}"
        return f"{key}:failures", f"{key}:places"


class Attempt:
    """An attempt that has its slot."""

    def __init__(self, settle: Callable[[bool], Coroutine[Any, Any, None]]) -> None:
        self._settle = settle
        self.settled = False

    async def count(self) -> None:
        """Counts it as a failure. Raises Unavailable if that cannot be stored: the result must then not be revealed."""
        self.settled = True
        await self._settle(True)


class _Line:
    """The queue of attempts for the same slots."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.is_answered = True
        """Whether Redis answered the last request."""


class RateLimiter:
    """Counts attempts across all processes."""

    def __init__(self, redis: "Redis", clock: Clock) -> None:
        self._clock = clock
        self._take = redis.register_script(_TAKE)
        self._settle = redis.register_script(_SETTLE)
        self._lines: WeakValueDictionary[tuple[str, ...], _Line] = WeakValueDictionary()
        self._settling: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def attempt(self, charges: list[Charge]) -> AsyncIterator[Attempt]:
        """Takes a slot of every subject that is charged, and returns it at the end unless the attempt was counted.

        Raises RateLimited, without a charge, also where no slot becomes free; Unavailable when Redis does not
        answer.
        """
        free_to_wait("a slot")
        member, keys = secrets.token_hex(8), [key for charge in charges for key in charge.keys]
        windows = [_ms(charge.limit.window) for charge in charges]

        async def settle(failed: bool) -> None:
            if keys:
                args: list[Any] = [self._now(), member, int(failed), *windows]
                await self._uninterrupted(_patiently(self._settle(keys=keys, args=args)))

        attempt = Attempt(settle)
        try:
            try:
                await self._take_slot(charges, keys, member)
            except RateLimited:
                attempt.settled = True
                raise
            yield attempt
        finally:
            if not attempt.settled:
                # The slot lapses by itself.
                with contextlib.suppress(Unavailable):
                    await settle(False)

    async def charge(self, charges: list[Charge]) -> None:
        """Counts an attempt regardless of its outcome. Raises as `attempt` does."""
        async with self.attempt(charges) as attempt:
            await attempt.count()

    async def _take_slot(self, charges: list[Charge], keys: list[str], member: str) -> None:
        if not keys:
            return
        args: list[Any] = []
        for limit, _ in charges:
            longest = 0 if limit.longest_pause is None else _ms(limit.longest_pause)
            args += [limit.attempts, _ms(limit.window), _ms(FIRST_PAUSE), longest]
        # One attempt at a time asks for a slot; the others queue behind it.
        line = self._lines.setdefault(tuple(keys), _Line())
        try:
            async with asyncio.timeout(SLOT_WAIT_S), line.turn:
                while (wait_ms := await self._ask(line, keys, member, args)) == _BUSY:  # noqa: ASYNC110  # Redis does not notify
                    await asyncio.sleep(SLOT_CHECK_S)
        except TimeoutError as error:
            # The subject has too many attempts in flight, unless Redis does not answer.
            raise (
                RateLimited(math.ceil(FIRST_PAUSE.total_seconds())) if line.is_answered else Unavailable()
            ) from error
        if wait_ms > 0:
            raise RateLimited(math.ceil(wait_ms / 1000))

    async def _ask(self, line: _Line, keys: list[str], member: str, args: list[Any]) -> int:
        try:
            answer = int(await _patiently(self._take(keys=keys, args=[self._now(), _ms(LAPSE), member, *args])))
        except Unavailable:
            line.is_answered = False
            raise
        line.is_answered = True
        return answer

    async def _uninterrupted(self, work: Coroutine[Any, Any, None]) -> None:
        """A caller that is cancelled stops waiting, and the work is completed all the same."""
        task = asyncio.ensure_future(work)
        self._settling.add(task)
        task.add_done_callback(self._settled)
        await asyncio.shield(task)

    def _settled(self, task: "asyncio.Task[None]") -> None:
        self._settling.discard(task)
        if not task.cancelled():
            # Marks it as retrieved: its caller may be gone.
            task.exception()

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


async def _patiently(call: Any) -> Any:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await call
    except (RedisError, OSError) as error:
        raise Unavailable from error


def _ms(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)

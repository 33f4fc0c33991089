"""A cache of computed values, shared by all processes over Redis: each value is computed once, however many request it.

The first caller takes a lease on the value, renews it while computing, and stores the value while it still holds the
lease. The others wait for the value. A holder that dies stops renewing, and the next caller takes over. Redis is no
authority here: where it does not answer, each process computes for itself, once for all its callers.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, Generic, TypeVar

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.kit.single_flight import SingleFlight
from app.kit.work import free_to_wait

T = TypeVar("T")

LEASE_S: Final = 1.5
"""How long a lease lasts without renewal: after that another caller takes over."""

WAIT_S: Final = 20.0
"""How long a caller waits for another process before it computes as well."""

PATIENCE_S: Final = 1.0
"""Seconds that Redis may take to answer, with all retries of its client."""

AVOIDED_S: Final = 2.0
"""How long Redis is avoided after it has not answered: an outage costs one wait, not one for each value."""

_PAUSES_S: Final = (0.01, 0.02, 0.04, 0.08, 0.15)

log = structlog.get_logger(__name__)

_RENEW = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('PEXPIRE', KEYS[1], ARGV[2]) or 0"
_RELEASE = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0"
# Stored and released at once. A caller that lost the lease stores nothing: another computes a newer value, or has.
_STORE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return redis.call('DEL', KEYS[1])
"""


class CacheEntry(msgspec.Struct, Generic[T], frozen=True):
    """What was computed, and for how long it holds."""

    value: T
    ttl_s: float


class _RedisUnavailable(Exception):
    """Redis does not answer."""


class SharedCache(Generic[T]):
    """The cached values of one kind, by key."""

    def __init__(
        self,
        redis: "Redis",
        name: str,
        *,
        encode: Callable[[T], bytes],
        decode: Callable[[bytes], T | None],
        lease_s: float = LEASE_S,
        wait_s: float = WAIT_S,
    ) -> None:
        """`name` separates kinds. `decode` returns None for a value that is no longer valid, or cannot be read."""
        self._redis = redis
        self._name = name
        self._encode = encode
        self._decode = decode
        self._lease_s = lease_s
        self._wait_s = wait_s
        self._single_flight: SingleFlight[T] = SingleFlight()
        self._avoided_until = 0.0
        self._renew = redis.register_script(_RENEW)
        self._release = redis.register_script(_RELEASE)
        self._store = redis.register_script(_STORE)

    async def get(self, key: str, compute: Callable[[], Awaitable[CacheEntry[T]]]) -> T:
        """The value of `key`: cached, or computed now. What `compute` raises is raised to all who wait for it here.

        Cancelling one caller does not affect the others, and the value is computed all the same.
        """
        free_to_wait("the value of another process")
        return await self._single_flight.join(key, lambda: self._get(key, compute))

    async def stop(self) -> None:
        """Cancels all computations of this process."""
        await self._single_flight.stop()

    async def _get(self, key: str, compute: Callable[[], Awaitable[CacheEntry[T]]]) -> T:
        token = secrets.token_hex(16)
        try:
            kept = await self._kept_or_leased(key, token)
        except _RedisUnavailable:
            return (await compute()).value
        return await self._compute(key, token, compute) if kept is None else kept

    async def _kept_or_leased(self, key: str, token: str) -> T | None:
        """The value, once it is cached; None: this process has the lease, or has waited for long enough."""
        loop = asyncio.get_running_loop()
        until, attempt = loop.time() + self._wait_s, 0
        while (kept := await self._kept(key)) is None:
            if await self._ask(
                lambda: self._redis.set(self._lease_key(key), token, nx=True, px=_milliseconds(self._lease_s))
            ):
                # Another process may have finished between our read and our lease.
                kept = await self._kept(key)
                if kept is not None:
                    await self._let_go(key, token)
                return kept
            if loop.time() >= until:
                log.warning("shared_cache.wait_timed_out", kind=self._name, key=key)
                return None
            await asyncio.sleep(_PAUSES_S[min(attempt, len(_PAUSES_S) - 1)])
            attempt += 1
        return kept

    async def _kept(self, key: str) -> T | None:
        body: Any = await self._ask(lambda: self._redis.get(self._answer_key(key)))
        return None if body is None else self._decode(body)

    async def _compute(self, key: str, token: str, compute: Callable[[], Awaitable[CacheEntry[T]]]) -> T:
        try:
            async with self._renewing(key, token):
                answer = await compute()
        except BaseException:
            await asyncio.shield(self._let_go(key, token))
            raise
        with contextlib.suppress(_RedisUnavailable):
            await self._ask(
                lambda: self._store(
                    keys=[self._lease_key(key), self._answer_key(key)],
                    args=[token, self._encode(answer.value), _milliseconds(answer.ttl_s)],
                )
            )
        return answer.value

    @contextlib.asynccontextmanager
    async def _renewing(self, key: str, token: str) -> AsyncIterator[None]:
        async def renew() -> None:
            while True:
                await asyncio.sleep(self._lease_s / 3)
                # A renewal that fails may be made up for by the next; else another takes over, which costs a repeat.
                with contextlib.suppress(_RedisUnavailable):
                    await self._ask(
                        lambda: self._renew(keys=[self._lease_key(key)], args=[token, _milliseconds(self._lease_s)])
                    )

        renewing = asyncio.create_task(renew())
        try:
            yield
        finally:
            renewing.cancel()

    async def _let_go(self, key: str, token: str) -> None:
        with contextlib.suppress(_RedisUnavailable):
            await self._ask(lambda: self._release(keys=[self._lease_key(key)], args=[token]))

    async def _ask(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        loop = asyncio.get_running_loop()
        if loop.time() < self._avoided_until:
            raise _RedisUnavailable
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await ask()
        except (RedisError, OSError) as error:
            # TimeoutError is an OSError.
            self._avoided_until = loop.time() + AVOIDED_S
            log.warning("shared_cache.redis_unavailable", kind=self._name, error=str(error) or type(error).__name__)
            raise _RedisUnavailable from error

    def _answer_key(self, key: str) -> str:
        return f"moneta:computed:{self._name}:{key}"

    def _lease_key(self, key: str) -> str:
        return f"moneta:computing:{self._name}:{key}"


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))

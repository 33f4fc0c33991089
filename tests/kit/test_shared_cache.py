"""An answer is computed once, whichever process asks and whichever dies, and without Redis once in each process."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from redis.asyncio import Redis

from app.dev.embedded import Embedded
from app.kit.shared_cache import CacheEntry, SharedCache
from tests.kit.shared_cache_worker import computed_over
from tests.waiting import until

CALLERS = 1000


@dataclass
class Work:
    """Counts how often it is begun, and ends when it may."""

    begun: int = 0
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    ttl_s: float = 60
    failure: Exception | None = None

    async def __call__(self) -> CacheEntry[str]:
        self.begun += 1
        number = self.begun
        await self.may_end.wait()
        if self.failure is not None:
            raise self.failure
        return CacheEntry(f"answer {number}", self.ttl_s)


def ready() -> Work:
    work = Work()
    work.may_end.set()
    return work


@contextlib.asynccontextmanager
async def worker(*arguments: object) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.kit.shared_cache_worker", *map(str, arguments), stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_thousand_who_ask_at_once_in_one_process_cost_one_computation(redis: Redis) -> None:
    computed, work = computed_over(redis), Work()
    asking = asyncio.gather(*(computed.get("key", work) for _ in range(CALLERS)))
    await until(lambda: work.begun == 1)
    work.may_end.set()
    assert await asking == ["answer 1"] * CALLERS
    assert await computed.get("key", work) == "answer 1"
    assert work.begun == 1


async def test_a_thousand_who_ask_in_four_processes_cost_one_computation(redis: Redis, servers: Embedded) -> None:
    async with contextlib.AsyncExitStack() as stack:
        workers = [
            await stack.enter_async_context(worker(servers.redis_url, "crowd", 4, CALLERS // 4)) for _ in range(4)
        ]
        printed = [out for out, _ in await asyncio.gather(*(each.communicate() for each in workers))]
    assert printed == [b"answer 1\n"] * 4
    assert await redis.get("computations") == b"1"


async def test_another_takes_over_from_a_holder_that_is_killed(redis: Redis, servers: Embedded) -> None:
    computed, work = computed_over(redis), ready()
    async with worker(servers.redis_url, "hold") as holder:
        await until(lambda: _is(redis, "computations", b"1"))
        asking = asyncio.create_task(computed.get("key", work))
        # It renews its lease: nobody takes over from the living.
        for _ in range(2):
            await until(renewed_lease(redis))
        assert (asking.done(), work.begun) == (False, 0)
        holder.kill()
        assert await asking == "answer 1"
    assert work.begun == 1


def renewed_lease(redis: Redis) -> Callable[[], Awaitable[bool]]:
    """Whether the lease lasts longer than when it was last looked at."""
    lasts_ms: list[int] = []

    async def renewed() -> bool:
        lasts_ms.append(await redis.pttl("moneta:computing:test:key"))
        return lasts_ms[-1] > lasts_ms[max(0, len(lasts_ms) - 2)]

    return renewed


async def _is(redis: Redis, key: str, value: bytes) -> bool:
    return bool(await redis.get(key) == value)


async def test_who_waits_too_long_for_another_process_computes_beside_it(redis: Redis, servers: Embedded) -> None:
    work = ready()
    async with worker(servers.redis_url, "hold"):
        await until(lambda: _is(redis, "computations", b"1"))
        assert await computed_over(redis, wait_s=0.1).get("key", work) == "answer 1"
        assert await redis.exists("moneta:computed:test:key") == 0


async def test_instances_share_what_is_kept_and_keys_stay_apart(redis: Redis) -> None:
    work = ready()
    assert await computed_over(redis).get("one", work) == "answer 1"
    assert await computed_over(redis).get("one", work) == "answer 1"
    assert await computed_over(redis).get("two", work) == "answer 2"
    assert 0 < await redis.pttl("moneta:computed:test:one") <= 60_000


async def test_what_holds_no_more_is_computed_anew(redis: Redis) -> None:
    work, stale = ready(), {b"answer 1"}
    computed: SharedCache[str] = SharedCache(
        redis, "test", encode=str.encode, decode=lambda body: None if body in stale else body.decode()
    )
    assert await computed.get("key", work) == "answer 1"
    assert await computed.get("key", work) == "answer 2"
    assert await computed.get("key", work) == "answer 2"


async def test_a_failure_reaches_all_who_wait_and_is_not_kept(redis: Redis) -> None:
    computed, work = computed_over(redis), Work(failure=LookupError("gone"))
    asking = [asyncio.create_task(computed.get("key", work)) for _ in range(3)]
    await until(lambda: work.begun == 1)
    work.may_end.set()
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert [repr(each) for each in outcomes] == ["LookupError('gone')"] * 3
    assert await redis.keys("moneta:comput*") == []
    work.failure = None
    assert await computed.get("key", work) == "answer 2"


async def test_who_is_cancelled_takes_nobody_along(redis: Redis) -> None:
    computed, work = computed_over(redis), Work()
    first, second = (asyncio.create_task(computed.get("key", work)) for _ in range(2))
    await until(lambda: work.begun == 1)
    first.cancel()
    work.may_end.set()
    assert await second == "answer 1"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_without_redis_each_process_computes_once_for_all_who_ask() -> None:
    nowhere = Redis.from_url("redis://127.0.0.1:1/0")
    computed, work = computed_over(nowhere), Work()
    asking = asyncio.gather(*(computed.get("key", work) for _ in range(CALLERS)))
    await until(lambda: work.begun == 1)
    work.may_end.set()
    assert await asking == ["answer 1"] * CALLERS
    assert work.begun == 1
    await nowhere.aclose()


async def test_an_answer_is_given_although_redis_went_while_it_was_computed(redis: Redis, servers: Embedded) -> None:
    own = Redis.from_url(servers.redis_url)
    computed, work = computed_over(own), Work()
    asking = asyncio.create_task(computed.get("key", work))
    await until(lambda: work.begun == 1)
    own.connection_pool.connection_kwargs["port"] = 1
    await own.connection_pool.disconnect()
    work.may_end.set()
    assert await asking == "answer 1"
    await own.aclose()


async def test_a_lost_lease_stores_nothing(redis: Redis) -> None:
    computed, work = computed_over(redis), Work()
    asking = asyncio.create_task(computed.get("key", work))
    await until(lambda: work.begun == 1)
    await redis.set("moneta:computing:test:key", "somebody else", ex=60)
    work.may_end.set()
    assert await asking == "answer 1"
    assert await redis.exists("moneta:computed:test:key") == 0
    assert await redis.get("moneta:computing:test:key") == b"somebody else"

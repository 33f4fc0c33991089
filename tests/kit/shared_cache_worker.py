"""A process that asks for one answer, for test_computed.py.

`python -m tests.kit.shared_cache_worker REDIS_URL crowd PROCESSES CALLERS`: waits for the other processes, then asks as
often at once as there are callers, and prints the answers without repeats. `... hold`: takes the lease and never ends.
"""

import asyncio
import sys

from app.kit.redis_client import Redis, open_redis
from app.kit.shared_cache import CacheEntry, SharedCache
from tests.waiting import HANG_S, elapse, until

WORK_S = 0.4
LEASE_S = 5.0
"""Of a holder that is going to die: it renews it far more often."""


def computed_over(redis: "Redis", *, lease_s: float = HANG_S, wait_s: float = HANG_S) -> SharedCache[str]:
    return SharedCache(redis, "test", encode=str.encode, decode=bytes.decode, lease_s=lease_s, wait_s=wait_s)


async def all_ready(redis: "Redis", processes: int) -> bool:
    return int(await redis.get("ready") or 0) >= processes


async def main(redis_url: str, place: str, processes: int = 0, callers: int = 0) -> None:
    redis = await open_redis(redis_url)
    computed = computed_over(redis) if place == "crowd" else computed_over(redis, lease_s=LEASE_S)

    async def work() -> CacheEntry[str]:
        number = await redis.incr("computations")
        if place == "hold":
            await asyncio.Event().wait()
        # Meanwhile the others ask.
        await elapse(WORK_S)
        return CacheEntry(f"answer {number}", 60)

    if place == "crowd":
        await redis.incr("ready")
        await until(lambda: all_ready(redis, processes))
    answers = await asyncio.gather(*(computed.get("key", work) for _ in range(callers or 1)))
    print(*set(answers), sep="\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])))

"""Attempts counted in Redis: so many in so long, for each subject. Without Redis nobody gets an attempt."""

import asyncio
import math
import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Final

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.kit.clock import Clock
from app.kit.errors import RateLimited, Unavailable

# The type, for those who pass the client on and may not import its library.
__all__ = ["Attempt", "Limit", "RateLimiter", "Redis"]

PATIENCE_S: Final = 3.0
"""Seconds that Redis gets to count an attempt, with everything that its client tries again."""

# A sorted set of attempts for each subject, by time. All subjects have room, or none is charged.
_TAKE = """
local now, window, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local wait = 0
for _, key in ipairs(KEYS) do
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now - window)
    if redis.call('ZCARD', key) >= limit then
        local oldest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
        wait = math.max(wait, tonumber(oldest[2]) + window - now)
    end
end
if wait > 0 then return wait end
for _, key in ipairs(KEYS) do
    redis.call('ZADD', key, now, ARGV[4])
    redis.call('PEXPIRE', key, window)
end
return 0
"""


class Limit(msgspec.Struct, frozen=True):
    """`attempts` within any span of `window`, for each subject. `name` keeps limits apart."""

    name: str
    attempts: int
    window: timedelta


class Attempt(msgspec.Struct, frozen=True):
    """An attempt that was allowed, and counts until it is given back."""

    keys: tuple[str, ...]
    member: str


class RateLimiter:
    """Counts attempts over all processes."""

    def __init__(self, redis: "Redis", clock: Clock) -> None:
        self._redis = redis
        self._clock = clock
        self._take = redis.register_script(_TAKE)

    async def take(self, limit: Limit, *subjects: str | None) -> Attempt:
        """Charges one attempt to each subject that is known.

        Raises RateLimited, then none is charged; Unavailable when Redis does not answer.
        """
        keys = tuple(_key(limit, subject) for subject in subjects if subject is not None)
        attempt = Attempt(keys, secrets.token_hex(8))
        if not keys:
            return attempt
        now_ms = int(self._clock.now().timestamp() * 1000)
        window_ms = int(limit.window.total_seconds() * 1000)
        try:
            async with asyncio.timeout(PATIENCE_S):
                wait_ms = int(await self._take(keys=keys, args=[now_ms, window_ms, limit.attempts, attempt.member]))
        except (RedisError, OSError) as error:
            raise Unavailable from error
        if wait_ms > 0:
            raise RateLimited(math.ceil(wait_ms / 1000))
        return attempt

    async def give_back(self, attempt: Attempt) -> None:
        """An attempt that succeeded does not count. When Redis does not answer it counts after all."""
        try:
            async with asyncio.timeout(PATIENCE_S), self._redis.pipeline(transaction=False) as pipeline:
                for key in attempt.keys:
                    pipeline.zrem(key, attempt.member)
                await pipeline.execute()
        except (RedisError, OSError):
            return


def _key(limit: Limit, subject: str) -> str:
    # A digest: whoever reads Redis learns no e-mail addresses, and no subject can forge another's key.
    return f"moneta:limit:{limit.name}:{sha256(subject.encode('utf-8', 'surrogatepass')).hexdigest()}"

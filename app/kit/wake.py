"""Waking a process that waits for rows, over Redis. Best effort: whoever waits polls as well."""

import asyncio

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

RECONNECT_S = 1.0

log = structlog.get_logger(__name__)


class Wake:
    """One channel: those who write ring it after their commit, and the one who reads waits until it was rung."""

    def __init__(self, redis: "Redis", channel: str) -> None:
        self._redis = redis
        self._channel = channel
        self._ringing: asyncio.Task[None] | None = None
        self.rung = asyncio.Event()
        """Set while something may be due. Whoever waits clears it before looking."""

    async def ring_soon(self) -> None:
        """Rings without waiting. One message on the way is enough for many writes."""
        if self._ringing is None or self._ringing.done():
            self._ringing = asyncio.create_task(self._ring())

    async def listen(self) -> None:
        """Sets `rung` at each ring, until cancelled."""
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(self._channel)
                    async for _ in pubsub.listen():
                        self.rung.set()
            except (RedisError, OSError):
                await asyncio.sleep(RECONNECT_S)

    async def _ring(self) -> None:
        try:
            await self._redis.publish(self._channel, b"")
        except (RedisError, OSError) as error:
            log.warning("wake.failed", channel=self._channel, error=str(error))

"""Wake-ups over Redis: what polls for work learns at once that there is some. Best effort, since it polls as well."""

import asyncio
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

RETRY_S: Final = 1.0

log = structlog.get_logger(__name__)


class Wake:
    """One channel: who has made work rings, and `rung` is set wherever somebody listens."""

    def __init__(self, redis: "Redis", channel: str) -> None:
        self.rung = asyncio.Event()
        self.ringing: asyncio.Task[None] | None = None
        self._redis = redis
        self._channel = channel

    async def ring_soon(self) -> None:
        """Rings without waiting for it. One message on the way is enough for many that ring."""
        if self.ringing is None or self.ringing.done():
            self.ringing = asyncio.create_task(self._ring())

    async def listen(self) -> None:
        """Sets `rung` with each message, until it is cancelled."""
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(self._channel)
                    async for _ in pubsub.listen():
                        self.rung.set()
            except (RedisError, OSError):
                # The poll carries on without the wake-ups.
                await asyncio.sleep(RETRY_S)

    async def _ring(self) -> None:
        try:
            await self._redis.publish(self._channel, b"")
        except (RedisError, OSError) as error:
            log.warning("wake.failed", channel=self._channel, error=str(error))

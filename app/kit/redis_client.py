"""The connection to Redis (or Valkey)."""

import asyncio
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.kit.errors import Unavailable

__all__ = ["Redis", "open_redis"]


class _SharedConnection(AbstractConnection):
    """A connection that several tasks may use while it is lost, and that loses no cancellation."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._turn = asyncio.Lock()
        self._connecting: asyncio.Task[Any] | None = None

    async def connect_check_health(self, *args: Any, **options: Any) -> None:
        """Connects, one task at a time; the others find it connected. The library would let each open a socket and
        read from the last one.
        """
        task = asyncio.current_task()
        if task is self._connecting:
            # The handshake itself found the new connection lost.
            await super().connect_check_health(*args, **options)
            return
        async with self._turn:
            self._connecting = task
            try:
                await super().connect_check_health(*args, **options)
            finally:
                self._connecting = None

    async def send_packed_command(self, *args: Any, **options: Any) -> None:
        """Sends a command. Python 3.11's `asyncio.wait_for`, with which the library does so, returns normally if the
        task is cancelled in the turn in which the command has been sent: a time-out or a shutdown would not happen.
        """
        task = asyncio.current_task()
        before = task.cancelling() if task else 0
        await super().send_packed_command(*args, **options)
        if task and task.cancelling() > before:
            await self.disconnect(nowait=True)
            raise asyncio.CancelledError


async def open_redis(url: str, *, timeout_s: float = 5.0) -> "Redis":
    """Connects. Raises Unavailable with one clear line when the server does not answer."""
    where = url.partition("?")[0].rpartition("@")[2].rpartition("://")[2]
    try:
        redis: Redis = Redis.from_url(
            url,
            retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), 3),
            retry_on_error=[RedisConnectionError, RedisTimeoutError],
            health_check_interval=15,
            socket_connect_timeout=timeout_s,
            socket_timeout=timeout_s,
            socket_keepalive=True,
        )
    except ValueError as error:
        raise Unavailable(f"Redis at {where} cannot be used: {error}") from error
    pool = redis.connection_pool
    pool.connection_class = type("SharedConnection", (_SharedConnection, pool.connection_class), {})
    try:
        await redis.ping()
    # TypeError: an option of the URL that the library does not know, when it makes its first connection.
    except (RedisError, OSError, TypeError) as error:
        await redis.aclose()
        raise Unavailable(f"Redis at {where} cannot be used: {error}") from error
    return redis

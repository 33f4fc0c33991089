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


class _Cancellable(AbstractConnection):
    """A connection that loses no cancellation."""

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
    pool.connection_class = type("Cancellable", (_Cancellable, pool.connection_class), {})
    try:
        await redis.ping()
    # TypeError: an option of the URL that the library does not know, when it makes its first connection.
    except (RedisError, OSError, TypeError) as error:
        await redis.aclose()
        raise Unavailable(f"Redis at {where} cannot be used: {error}") from error
    return redis

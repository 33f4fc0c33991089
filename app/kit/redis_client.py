"""The connection to Redis (or Valkey)."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.kit.errors import Unavailable

__all__ = ["Redis", "open_redis"]


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
    try:
        await redis.ping()
    # TypeError: an option of the URL that the library does not know, when it makes its first connection.
    except (RedisError, OSError, TypeError) as error:
        await redis.aclose()
        raise Unavailable(f"Redis at {where} cannot be used: {error}") from error
    return redis

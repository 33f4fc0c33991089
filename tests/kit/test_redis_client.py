import asyncio

import pytest
from redis.asyncio import Redis

from app.kit.errors import Unavailable
from app.kit.redis_client import open_redis


@pytest.mark.parametrize(
    "url",
    [
        "redis://:hush@127.0.0.1:1/0",
        "redis://127.0.0.1:1/0?password=hush",
        "redis://:hush@host.invalid/0",
        "nonsense://:hush@here",
    ],
)
async def test_an_unusable_url_is_one_line_without_the_password(url: str) -> None:
    with pytest.raises(Unavailable) as caught:
        await open_redis(url, timeout_s=1.0)
    assert caught.value.message.startswith("Redis at ")
    assert "hush" not in caught.value.message
    assert "\n" not in caught.value.message


async def test_a_wrong_password_is_said(redis: Redis) -> None:
    options = redis.connection_pool.connection_kwargs
    with pytest.raises(Unavailable, match=r"(?i)password|auth"):
        await open_redis(f"redis://:wrong@{options['host']}:{options['port']}/0")


async def test_a_cancellation_at_any_moment_of_a_command_is_not_lost(redis: Redis) -> None:
    """Python 3.11's `wait_for`, which sends each command, loses one that comes just as the command is sent."""
    moment, finished = 0, False
    while not finished:
        task = asyncio.ensure_future(redis.ping())
        for _ in range(moment):
            await asyncio.sleep(0)
        finished = task.done()
        if not finished:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await redis.ping()
        moment += 1
    assert moment > 2, "it was cancelled in between"


async def test_those_who_connect_at_once_share_one_connection(redis: Redis) -> None:
    """A pub/sub connection that is lost is made again by the one that reads and by those that subscribe."""
    before = len(await redis.client_list())
    connection = redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
    await asyncio.gather(*(connection.connect() for _ in range(5)))
    assert len(await redis.client_list()) == before + 1
    await connection.send_command("PING")
    assert await connection.read_response() == b"PONG"
    await connection.disconnect()
    await connection.send_command("PING")
    assert await connection.read_response() == b"PONG"
    await connection.disconnect()

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

import asyncio
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from app.kit.clock import FixedClock
from app.kit.errors import RateLimited, Unavailable
from app.kit.ratelimit import Attempt, Limit, RateLimiter

LIMIT = Limit("test", 3, timedelta(minutes=1))


async def test_attempts_are_counted_within_a_window_that_slides(redis: Redis, clock: FixedClock) -> None:
    limiter = RateLimiter(redis, clock)
    for _ in range(3):
        await limiter.take(LIMIT, "alice")
        clock.advance(timedelta(seconds=10))
    with pytest.raises(RateLimited) as refusal:
        await limiter.take(LIMIT, "alice")
    assert refusal.value.retry_after_s == 30
    clock.advance(timedelta(seconds=30))
    await limiter.take(LIMIT, "alice")
    with pytest.raises(RateLimited):
        await limiter.take(LIMIT, "alice")


async def test_a_refused_attempt_charges_no_subject(redis: Redis, clock: FixedClock) -> None:
    limiter = RateLimiter(redis, clock)
    for _ in range(3):
        await limiter.take(LIMIT, "alice")
    with pytest.raises(RateLimited):
        await limiter.take(LIMIT, "bob", "alice")
    for _ in range(3):
        await limiter.take(LIMIT, "bob")


async def test_an_attempt_given_back_does_not_count(redis: Redis, clock: FixedClock) -> None:
    limiter = RateLimiter(redis, clock)
    for _ in range(10):
        await limiter.give_back(await limiter.take(LIMIT, "alice", None))


async def test_attempts_at_once_are_counted_like_attempts_in_turn(redis: Redis, clock: FixedClock) -> None:
    limiter = RateLimiter(redis, clock)
    outcomes = await asyncio.gather(*(limiter.take(LIMIT, "alice") for _ in range(50)), return_exceptions=True)
    assert sum(isinstance(outcome, RateLimited) for outcome in outcomes) == 47


async def test_limits_are_apart(redis: Redis, clock: FixedClock) -> None:
    limiter = RateLimiter(redis, clock)
    for _ in range(3):
        await limiter.take(LIMIT, "alice")
    await limiter.take(Limit("other", 1, timedelta(minutes=1)), "alice")


async def test_redis_learns_no_subject_and_forgets_by_itself(redis: Redis, clock: FixedClock) -> None:
    await RateLimiter(redis, clock).take(LIMIT, "alice@example.com")
    [key] = await redis.keys("*")
    assert b"alice" not in key
    assert 0 < await redis.pttl(key) <= 60_000


async def test_without_redis_there_are_no_attempts(clock: FixedClock) -> None:
    dead = Redis.from_url("redis://127.0.0.1:1/0")
    with pytest.raises(Unavailable):
        await RateLimiter(dead, clock).take(LIMIT, "alice")
    await dead.aclose()


async def test_a_redis_that_hangs_is_not_waited_for(clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    monkeypatch.setattr("app.kit.ratelimit.PATIENCE_S", 0.05)
    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with silent, Redis(port=silent.sockets[0].getsockname()[1]) as redis:
        limiter = RateLimiter(redis, clock)
        with pytest.raises(Unavailable):
            await limiter.take(LIMIT, "alice")
        await limiter.give_back(Attempt(("key",), "member"))

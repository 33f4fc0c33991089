import asyncio
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from app.kit.clock import FixedClock
from app.kit.errors import RateLimited, Unavailable
from app.kit.ratelimit import LAPSE, Limit, RateLimiter

MINUTE = timedelta(minutes=1)
LIMIT = Limit("test", 3, MINUTE)
SLOWING = Limit("slowing", 3, timedelta(hours=1), longest_pause=timedelta(seconds=10))


async def fail(limiter: RateLimiter, limit: Limit = LIMIT, *subjects: str) -> None:
    await limiter.charge([charge for subject in subjects or ("alice",) for charge in limit.of(subject)])


async def test_failures_are_counted_within_a_window_that_slides(redis: Redis, clock: FixedClock) -> None:
    limiter = RateLimiter(redis, clock)
    for _ in range(3):
        await fail(limiter)
        clock.advance(timedelta(seconds=10))
    with pytest.raises(RateLimited) as refusal:
        await fail(limiter)
    assert refusal.value.retry_after_s == 30
    clock.advance(timedelta(seconds=30))
    await fail(limiter)
    with pytest.raises(RateLimited):
        await fail(limiter)


async def test_a_refused_attempt_charges_no_subject(redis: Redis, clock: FixedClock) -> None:
    limiter = RateLimiter(redis, clock)
    for _ in range(3):
        await fail(limiter)
    with pytest.raises(RateLimited):
        await fail(limiter, LIMIT, "bob", "alice")
    for _ in range(3):
        await fail(limiter, LIMIT, "bob")


async def test_what_does_not_fail_does_not_count(redis: Redis, clock: FixedClock) -> None:
    limiter = RateLimiter(redis, clock)
    for error in (None, Unavailable, asyncio.CancelledError):
        for _ in range(5):
            try:
                async with limiter.attempt(LIMIT.of("alice")):
                    if error is not None:
                        raise error
            except (Unavailable, asyncio.CancelledError):
                pass
    for _ in range(3):
        await fail(limiter)


async def test_attempts_at_once_wait_for_those_before_them(redis: Redis, clock: FixedClock) -> None:
    limiter, others = RateLimiter(redis, clock), RateLimiter(redis, clock)
    under_way, most = 0, 0

    async def succeed(by: RateLimiter) -> None:
        nonlocal under_way, most
        async with by.attempt(LIMIT.of("alice")):
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1

    await asyncio.gather(*(succeed(limiter if n % 2 else others) for n in range(40)))
    assert most <= 3


async def test_failures_at_once_are_counted_like_failures_in_turn(redis: Redis, clock: FixedClock) -> None:
    limiters, tried = [RateLimiter(redis, clock), RateLimiter(redis, clock)], 0

    async def guess(limiter: RateLimiter) -> None:
        nonlocal tried
        async with limiter.attempt(LIMIT.of("alice")) as attempt:
            tried += 1
            await asyncio.sleep(0)
            await attempt.count()

    outcomes = await asyncio.gather(*(guess(limiters[n % 2]) for n in range(50)), return_exceptions=True)
    assert tried == 3
    assert sum(isinstance(outcome, RateLimited) for outcome in outcomes) == 47


async def test_who_waits_for_a_place_in_vain_is_told_so(
    redis: Redis, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.kit.ratelimit.PLACE_S", 0.1)
    limiter, one = RateLimiter(redis, clock), Limit("one", 1, MINUTE)
    async with limiter.attempt(one.of("alice")):
        for outcome in await asyncio.gather(*(fail(limiter, one) for _ in range(3)), return_exceptions=True):
            assert isinstance(outcome, RateLimited), "it is their own excess, and no outage"
        # A place whose process has died lapses.
        clock.advance(LAPSE)
        async with limiter.attempt(one.of("alice")):
            pass


async def test_pauses_grow_and_are_bounded_and_one_guesses_at_a_time(redis: Redis, clock: FixedClock) -> None:
    limiter, pauses = RateLimiter(redis, clock), []
    for _ in range(3):
        await fail(limiter, SLOWING)
    for _ in range(6):
        with pytest.raises(RateLimited) as refusal:
            await fail(limiter, SLOWING)
        pauses.append(refusal.value.retry_after_s)
        clock.advance(timedelta(seconds=refusal.value.retry_after_s))
        outcomes = await asyncio.gather(*(fail(limiter, SLOWING) for _ in range(5)), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes].count(RateLimited) == 4
    assert pauses == [1, 2, 4, 8, 10, 10]


async def test_a_clock_that_stepped_back_shuts_nobody_out_for_longer(redis: Redis, clock: FixedClock) -> None:
    limiter = RateLimiter(redis, clock)
    for limit in (LIMIT, SLOWING):
        for _ in range(3):
            await fail(limiter, limit)
    clock.advance(timedelta(hours=-3))
    for limit, most in ((LIMIT, 60), (SLOWING, 10)):
        with pytest.raises(RateLimited) as refusal:
            await fail(limiter, limit)
        assert refusal.value.retry_after_s <= most


async def test_limits_are_apart(redis: Redis, clock: FixedClock) -> None:
    limiter = RateLimiter(redis, clock)
    for _ in range(3):
        await fail(limiter)
    await fail(limiter, Limit("other", 1, MINUTE))


async def test_redis_learns_no_subject_and_forgets_by_itself(redis: Redis, clock: FixedClock) -> None:
    limiter = RateLimiter(redis, clock)
    await fail(limiter, LIMIT, "alice@example.com")
    async with limiter.attempt(LIMIT.of("alice@example.com")):
        keys = await redis.keys("*")
        assert len(keys) == 2
        for key in keys:
            assert b"alice" not in key
            assert 0 < await redis.pttl(key) <= 60_000


async def test_without_redis_there_are_no_attempts(clock: FixedClock) -> None:
    dead = Redis.from_url("redis://127.0.0.1:1/0")
    with pytest.raises(Unavailable):
        await fail(RateLimiter(dead, clock))
    await dead.aclose()


async def test_a_failure_that_cannot_be_noted_is_not_told(redis: Redis, clock: FixedClock) -> None:
    async with RateLimiter(redis, clock).attempt(LIMIT.of("alice")) as attempt:
        [charge] = LIMIT.of("alice")
        await redis.set(charge.keys[0], "in the way", ex=60)
        with pytest.raises(Unavailable):
            await attempt.count()


async def test_a_redis_that_hangs_is_not_waited_for(clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    monkeypatch.setattr("app.kit.ratelimit.PATIENCE_S", 0.05)
    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with silent, Redis(port=silent.sockets[0].getsockname()[1]) as redis:
        limiter = RateLimiter(redis, clock)
        with pytest.raises(Unavailable):
            await fail(limiter)
        # Nor by those who stand in line behind the caller.
        monkeypatch.setattr("app.kit.ratelimit.PLACE_S", 0.2)
        outcomes = await asyncio.gather(*(fail(limiter) for _ in range(20)), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {Unavailable}

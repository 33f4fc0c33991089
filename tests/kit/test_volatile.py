import asyncio

import pytest
from broadcaster import Broadcast
from redis.asyncio import Redis

from app.kit import volatile as volatile_module
from app.kit.db import Database
from app.kit.events import EventLog
from app.kit.hub import Hub
from app.kit.volatile import LATEST_TTL_S, VOLATILE_CHANNEL, Latest, VolatileTopics, Watcher, latest_key
from tests.kit.event_pipeline import hub_of
from tests.waiting import until


async def heard(redis: Redis) -> bool:
    return dict(await redis.pubsub_numsub(VOLATILE_CHANNEL)) == {VOLATILE_CHANNEL.encode(): 1}


class Watch:
    """A watcher, and how often it was called."""

    def __init__(self) -> None:
        self.calls = 0
        self.watcher: Watcher

    def notify(self) -> None:
        self.calls += 1

    @classmethod
    async def on(cls, hub: Hub, topic: str) -> "Watch":
        watch = cls()
        watch.watcher = await hub.watch(topic, watch.notify)
        return watch


async def test_the_newest_value_of_each_key_is_taken_once(database: Database, redis: Redis) -> None:
    volatile = VolatileTopics(redis)
    async with hub_of(EventLog(database, redis), redis) as hub:
        await until(lambda: heard(redis))
        watch, late = await Watch.on(hub, "prices"), await Watch.on(hub, "prices")
        assert watch.watcher.take() == []
        for price in range(5):
            for symbol in ("BTC", "ETH"):
                await volatile.publish("prices", symbol, {"price": price})
        await volatile.publish("others", "BTC", "not theirs")
        await volatile.publish("prices", "BTC", {"price": "last"})
        await until(lambda: watch.calls == 11)

        assert watch.watcher.take() == [Latest("ETH", {"price": 4}), Latest("BTC", {"price": "last"})]
        assert watch.watcher.take() == []
        await volatile.publish("prices", "ETH", {"price": 5})
        await until(lambda: watch.calls == 12)
        assert watch.watcher.take() == [Latest("ETH", {"price": 5})]
        assert late.watcher.take() == [Latest("BTC", {"price": "last"}), Latest("ETH", {"price": 5})]
    assert 0 < await redis.ttl(latest_key("prices")) <= LATEST_TTL_S


async def test_the_first_take_gives_what_is_the_latest_now(database: Database, redis: Redis) -> None:
    volatile = VolatileTopics(redis)
    await volatile.publish("prices", "BTC", 1)
    await volatile.publish("prices", "BTC", 2)
    await volatile.publish("prices", "ETH", 3)
    async with hub_of(EventLog(database, redis), redis) as hub:
        first = await Watch.on(hub, "prices")
        assert {latest.key: latest.payload for latest in first.watcher.take()} == {"BTC": 2, "ETH": 3}
        calls = (await redis.info("commandstats"))["cmdstat_hgetall"]["calls"]
        second = await Watch.on(hub, "prices")
        assert {latest.key: latest.payload for latest in second.watcher.take()} == {"BTC": 2, "ETH": 3}
        assert (await redis.info("commandstats"))["cmdstat_hgetall"]["calls"] == calls


async def test_what_a_lost_connection_swallowed_is_read_afterwards(database: Database, redis: Redis) -> None:
    volatile = VolatileTopics(redis)
    async with hub_of(EventLog(database, redis), redis) as hub:
        await until(lambda: heard(redis))
        watch = await Watch.on(hub, "prices")
        for price in range(10):
            await redis.client_kill_filter(_type="pubsub")
            await volatile.publish("prices", "BTC", price)
        taken: list[Latest] = []

        def newest() -> bool:
            taken.extend(watch.watcher.take())
            return bool(taken) and taken[-1] == Latest("BTC", 9)

        await until(newest)
        payloads = [latest.payload for latest in taken]
        assert payloads == sorted(payloads)


async def test_a_value_heard_while_reading_prevails(database: Database, redis: Redis) -> None:
    """What is heard meanwhile is as new as what was read, or newer."""
    topic = volatile_module.Topic("prices")
    reached, go_on = asyncio.Event(), asyncio.Event()

    class Slow(VolatileTopics):
        async def latest(self, topic: str) -> dict[str, object] | None:
            stored = await super().latest(topic)
            reached.set()
            await go_on.wait()
            return stored

    volatile = Slow(redis)
    await volatile.publish("prices", "BTC", "old")
    await volatile.publish("prices", "ETH", "kept")
    reading = asyncio.create_task(topic.read(volatile))
    await reached.wait()
    topic.hear("BTC", "new")
    go_on.set()
    await reading
    assert {latest.key: latest.payload for latest in topic.since(0)} == {"BTC": "new", "ETH": "kept"}


async def test_a_topic_forgets_the_key_that_was_longest_without_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volatile_module, "KEYS_LIMIT", 2)
    topic = volatile_module.Topic("prices")
    for key in ("a", "b", "a", "c"):
        topic.hear(key, key)
    assert [latest.key for latest in topic.since(0)] == ["a", "c"]


async def test_a_lost_redis_fails_no_publisher_and_no_watcher(
    database: Database, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = Redis.from_url("redis://127.0.0.1:1")
    await VolatileTopics(nowhere).publish("prices", "BTC", 1)
    hub = Hub(Broadcast("memory://"), EventLog(database, nowhere), memory_limit=1)
    watcher = await hub.watch("prices", lambda: None)
    assert watcher.take() == []
    watcher.close()
    assert hub._topics == {}
    await nowhere.aclose()


@pytest.mark.parametrize(("topic", "key"), [("a\nb", "c"), ("a", "b\nc")])
async def test_a_name_with_a_line_break_is_refused(redis: Redis, topic: str, key: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        await VolatileTopics(redis).publish(topic, key, 1)
    assert await redis.keys() == []


async def test_watchers_leave_nothing_behind(database: Database, redis: Redis) -> None:
    async with hub_of(EventLog(database, redis), redis) as hub:
        first, second = await Watch.on(hub, "prices"), await Watch.on(hub, "prices")
        first.watcher.close()
        first.watcher.close()
        assert list(hub._topics) == ["prices"]
        second.watcher.close()
        assert hub._topics == {}


async def test_a_topic_that_is_left_and_watched_again_while_it_is_read_is_read_anew(
    database: Database, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    volatile = VolatileTopics(redis)
    async with hub_of(EventLog(database, redis), redis) as hub:
        await until(lambda: heard(redis))
        await volatile.publish("prices", "BTC", 1)
        asked, answered = asyncio.Event(), asyncio.Event()
        latest = VolatileTopics.latest

        async def slow(self: VolatileTopics, topic: str) -> dict[str, object] | None:
            asked.set()
            await answered.wait()
            return await latest(self, topic)

        monkeypatch.setattr(VolatileTopics, "latest", slow)
        first = asyncio.create_task(Watch.on(hub, "prices"))
        await asked.wait()
        first.cancel()
        await asyncio.wait([first])
        second = asyncio.create_task(Watch.on(hub, "prices"))
        await asyncio.sleep(0)
        answered.set()
        assert (await second).watcher.take() == [Latest("BTC", 1)]


async def test_publish_soon_does_not_wait_and_conflates(redis: Redis) -> None:
    volatile = VolatileTopics(redis)
    # All in one turn of the event loop: nothing is sent in between.
    for price in range(1000):
        volatile.publish_soon("prices", "BTC", price)
    volatile.publish_soon("prices", "ETH", "only")

    async def calls() -> bool:
        return await volatile.latest("prices") == {"BTC": 999, "ETH": "only"}

    await redis.config_resetstat()
    await until(calls)
    published = (await redis.info("commandstats")).get("cmdstat_hset", {}).get("calls")
    assert published == 2


async def test_a_value_that_cannot_be_encoded_leaves_the_one_before_it(redis: Redis) -> None:
    volatile = VolatileTopics(redis)
    volatile.publish_soon("prices", "BTC", 1)
    with pytest.raises(TypeError):
        volatile.publish_soon("prices", "BTC", object())

    async def published() -> bool:
        return await volatile.latest("prices") == {"BTC": 1}

    await until(published)


async def test_a_topic_of_many_keys_begins_anew_in_redis(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volatile_module, "KEYS_LIMIT", 3)
    volatile = VolatileTopics(redis)
    for key in ("a", "b", "c", "b"):
        await volatile.publish("t", key, key)
    assert await volatile.latest("t") == {"a": "a", "b": "b", "c": "c"}
    await volatile.publish("t", "d", "d")
    assert await volatile.latest("t") == {"d": "d"}

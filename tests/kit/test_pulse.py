"""The pulse goes on whatever else has stopped, and says what is not known."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from app.kit import pulse as pulse_module
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.errors import Unavailable
from app.kit.events import EventLog
from app.kit.hub import Hub, Watcher
from app.kit.pulse import PULSE_TOPIC, Pulse, TopicSign
from app.kit.volatile import VolatileTopics
from tests.kit.event_pipeline import append, hub_of, relaying
from tests.waiting import until

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


class Part:
    """A part whose last sign of life is `age_s` ago, or that cannot be asked."""

    def __init__(self, age_s: float | None, failure: Exception | None = None) -> None:
        self.age_s = age_s
        self.failure = failure
        self.asked = 0
        self.hangs = False

    async def __call__(self) -> datetime | None:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.failure is not None:
            raise self.failure
        return None if self.age_s is None else NOW - timedelta(seconds=self.age_s)


@pytest_asyncio.fixture
async def hub(database: Database, redis: Redis) -> AsyncIterator[Hub]:
    async with hub_of(EventLog(database, redis), redis) as hub:
        yield hub


def ages(watcher: Watcher) -> Any:
    """What the newest pulse says."""
    (latest,) = watcher.take()
    assert latest.payload["at"] == NOW.isoformat()
    return latest.payload["ages_ms"]


async def test_a_pulse_says_how_old_the_sign_of_life_of_each_part_is(hub: Hub) -> None:
    parts = {"feed": Part(0.25), "tip": Part(90), "ahead": Part(-5), "never": Part(None)}
    pulse = Pulse(hub, FixedClock(NOW), parts)
    watcher = await hub.watch(PULSE_TOPIC, lambda: None)
    await pulse.beat()
    assert ages(watcher) == {"feed": 250, "tip": 90_000, "ahead": 0, "never": None}


@pytest.mark.parametrize("failure", [Unavailable(), LookupError("a defect")])
async def test_a_part_that_cannot_be_asked_is_unknown_and_stops_nothing(hub: Hub, failure: Exception) -> None:
    tip, feed = Part(90), Part(1)
    pulse = Pulse(hub, FixedClock(NOW), {"feed": feed, "tip": tip})
    watcher = await hub.watch(PULSE_TOPIC, lambda: None)
    await pulse.beat()
    assert ages(watcher) == {"feed": 1000, "tip": 90_000}
    tip.failure = failure
    await pulse.beat()
    # What was measured just now still counts.
    assert ages(watcher) == {"feed": 1000, "tip": 90_000}
    pulse._parts[1]._measured_s -= pulse_module.KNOWN_S
    await pulse.beat()
    assert ages(watcher) == {"feed": 1000, "tip": None}
    tip.failure = None
    await pulse.beat()
    assert ages(watcher) == {"feed": 1000, "tip": 90_000}


async def test_a_part_that_does_not_answer_holds_up_no_pulse_and_is_asked_once(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse_module, "ANSWER_S", 0.01)
    tip, feed = Part(90), Part(1)
    tip.hangs = True
    pulse = Pulse(hub, FixedClock(NOW), {"tip": tip, "feed": feed})
    watcher = await hub.watch(PULSE_TOPIC, lambda: None)
    for _ in range(3):
        await pulse.beat()
        assert ages(watcher) == {"feed": 1000, "tip": None}
    assert (tip.asked, feed.asked) == (1, 3)
    measuring = pulse._parts[0].measuring
    assert measuring is not None
    measuring.cancel()


async def test_it_beats_while_somebody_watches_and_once_for_all(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    part = Part(1)
    pulse = Pulse(hub, FixedClock(NOW), {"part": part}, every_s=0.005)
    beats = 0
    beat = pulse.beat

    async def count() -> None:
        nonlocal beats
        beats += 1
        await beat()
        if beats == 2:
            raise LookupError("a defect")

    monkeypatch.setattr(pulse, "beat", count)
    running = asyncio.create_task(pulse.run())
    watchers = [await hub.watch(PULSE_TOPIC, lambda: None) for _ in range(5)]
    # It outlives a failure of its own.
    await until(lambda: beats >= 4)
    assert [ages(watcher) for watcher in watchers] == [{"part": 1000}] * 5
    assert part.asked <= beats
    for watcher in watchers:
        watcher.close()
    asked = part.asked
    turns = 0

    def is_watched(topic: str) -> bool:
        nonlocal turns
        turns += 1
        return topic in hub._topics

    monkeypatch.setattr(hub, "is_watched", is_watched)
    await until(lambda: turns >= 5)
    assert part.asked <= asked + 1
    running.cancel()
    await asyncio.wait([running])


async def test_the_newest_value_of_a_topic_is_a_sign_of_life(hub: Hub, redis: Redis) -> None:
    volatile = VolatileTopics(redis)
    sign = TopicSign(hub, "prices", lambda tick: datetime.fromisoformat(tick["at"]))
    assert await sign() is None
    for second in (1, 2):
        moment = NOW + timedelta(seconds=second)
        await volatile.publish("prices", "all", {"at": moment.isoformat()})
        await until(lambda moment=moment: _is(sign, moment))  # type: ignore[misc]
    # Without new values it stays what it was.
    assert await sign() == NOW + timedelta(seconds=2)


async def _is(sign: TopicSign, moment: datetime) -> bool:
    return await sign() == moment


async def test_the_relay_is_behind_by_the_age_of_the_oldest_event_that_waits(database: Database, redis: Redis) -> None:
    events = EventLog(database, redis)
    await append(database, events, "s", [1, 2])
    (first, _) = await events.after("s", 0, 2)
    assert await events.waiting_since() == first.created_at
    async with relaying(database, redis):

        async def none_waits() -> bool:
            return await events.waiting_since() > first.created_at

        await until(none_waits)

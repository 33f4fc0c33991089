"""A process goes by the database's clock, however wrong its machine's is, and whatever becomes of it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from app.kit.database_clock import REMIND_S, WRONG_S, DatabaseClock, database_time, keep_time
from app.kit.db import Database
from app.kit.errors import Unavailable
from tests.engine.support import listening
from tests.waiting import elapse

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class World:
    """A database, a machine, and what passes between them."""

    def __init__(self) -> None:
        self.database = NOON
        self.machine = NOON
        self.elapsed_s = 1000.0
        self.under_way_s = (0.0, 0.0)
        self.gone = False
        self.clock = DatabaseClock(self.ask, elapsed=lambda: self.elapsed_s, machine=lambda: self.machine)

    def pass_by(self, seconds: float) -> None:
        by = timedelta(seconds=seconds)
        self.database, self.machine, self.elapsed_s = self.database + by, self.machine + by, self.elapsed_s + seconds

    async def ask(self) -> datetime:
        if self.gone:
            raise Unavailable
        there_s, back_s = self.under_way_s
        self.pass_by(there_s)
        answer = self.database
        self.pass_by(back_s)
        return answer

    @property
    def behind_s(self) -> float:
        return (self.database - self.clock.now()).total_seconds()


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    await made.clock.compare()
    yield made


@pytest.mark.parametrize("wrong", [3 * HOUR, -3 * HOUR, -400 * 24 * HOUR])
async def test_a_machine_that_starts_with_a_wrong_clock_does_not_go_by_it(wrong: timedelta) -> None:
    world = World()
    world.machine += wrong
    await world.clock.compare()
    assert world.clock.now() == NOON
    world.pass_by(2.5)
    assert world.clock.now() == NOON + timedelta(seconds=2.5)
    assert world.clock.ahead_s == wrong.total_seconds()


@pytest.mark.parametrize("wrong", [3 * HOUR, -3 * HOUR])
async def test_a_clock_that_is_set_while_we_run_changes_nothing(world: World, wrong: timedelta) -> None:
    world.machine += wrong
    world.pass_by(140)
    assert world.clock.now() == world.database
    await world.clock.compare()
    world.machine -= wrong
    assert world.clock.now() == world.database


@pytest.mark.parametrize("under_way_s", [(0.5, 0.0), (0.0, 0.5), (2.0, 3.0)])
async def test_it_is_never_ahead_and_behind_by_an_answers_way(under_way_s: tuple[float, float]) -> None:
    world = World()
    world.under_way_s = under_way_s
    await world.clock.compare()
    assert 0 <= world.behind_s <= under_way_s[1]
    world.under_way_s = (0.0, 0.001)
    await world.clock.compare()
    assert 0 <= world.behind_s <= 0.001


async def test_a_slow_answer_spoils_nothing(world: World) -> None:
    world.under_way_s = (4.0, 4.0)
    await world.clock.compare()
    assert world.behind_s == 0


@pytest.mark.parametrize("by", [3 * HOUR, -3 * HOUR, timedelta(seconds=-0.25)])
async def test_the_databases_clock_may_be_set(world: World, by: timedelta) -> None:
    world.database += by
    await world.clock.compare()
    assert world.clock.now() == world.database


async def test_a_machine_that_counts_badly_is_put_right(world: World) -> None:
    world.elapsed_s += 3.0
    assert world.behind_s == -3.0
    await world.clock.compare()
    assert world.behind_s == 0


async def test_a_lost_database_leaves_the_time_going_on(world: World) -> None:
    world.gone, world.machine = True, world.machine + 3 * HOUR
    with pytest.raises(Unavailable):
        await world.clock.compare()
    world.pass_by(3600)
    assert world.clock.now() == NOON + HOUR


async def test_a_wrong_machine_is_warned_of_once_in_a_while(world: World) -> None:
    with listening() as logged:
        await world.clock.compare()
        world.machine += timedelta(seconds=WRONG_S)
        await world.clock.compare()
        assert logged == []
        world.machine += 3 * HOUR
        for _ in range(3):
            world.pass_by(5)
            await world.clock.compare()
        assert [(line["event"], line["log_level"]) for line in logged] == [("clock.wrong", "warning")]
        assert logged[0]["ahead_s"] == 10802.0
        world.pass_by(REMIND_S)
        await world.clock.compare()
        world.machine -= 6 * HOUR
        await world.clock.compare()
        world.machine += 3 * HOUR - timedelta(seconds=WRONG_S)
        await world.clock.compare()
    assert [line["event"] for line in logged] == ["clock.wrong"] * 3 + ["clock.corrected"]


async def test_it_is_kept_by_a_real_database(database: Database) -> None:
    async with keep_time(database) as clock:
        logged = clock.now()
        assert logged <= await database_time(database)
        await elapse(0.01)
        assert logged < clock.now() <= await database_time(database)

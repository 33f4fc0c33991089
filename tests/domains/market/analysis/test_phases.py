"""A run's phases: in order, in time, exactly once, whichever worker runs them and whichever dies."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from app.dev.embedded import Embedded
from app.domains.accounts.model import Viewer
from app.domains.market.analysis.model import AnalysisType
from app.domains.market.analysis.model.phases import BUDGETS_S, PHASES, RUN_TTL
from app.domains.market.analysis.services import Analyses, Phases
from app.domains.market.analysis.services.analyst import Examination, NotAvailable
from app.domains.market.analysis.services.phases import analysis_stream
from app.kit.clock import FixedClock
from app.kit.db import PUBLIC, SYSTEM, Database
from app.kit.errors import Unavailable
from app.kit.events import EventLog
from tests.databases import Owner
from tests.domains.market.analysis.viewers import somebody, viewer_of
from tests.statements import statement
from tests.waiting import HANG_S, until

ALL = [1, 2, 3, 4]
ALL_THE_TIME = dict.fromkeys(BUDGETS_S, HANG_S)


class Unknowing:
    """Knows nothing; hangs where it is set to."""

    def __init__(self, type: AnalysisType, *, hangs: bool) -> None:
        self.type = type
        self._hangs = hangs

    async def examine(self, symbol: str) -> Examination:
        if self._hangs:
            await asyncio.Event().wait()
        raise NotAvailable("Nothing is known.")


class Scene:
    """Instances of the service over one database, as processes have them."""

    def __init__(self, database: Database, redis: Redis, clock: FixedClock, owner: Owner) -> None:
        self.database, self.redis, self.clock, self.owner = database, redis, clock, owner
        self.opened: list[Phases] = []

    def phases(
        self,
        *,
        hanging: frozenset[AnalysisType] = frozenset(),
        budgets_s: Mapping[int, float] = ALL_THE_TIME,
        database: Any = None,
    ) -> Phases:
        others = [Unknowing(kind, hangs=kind in hanging) for kind in AnalysisType if kind is not AnalysisType.RESEARCH]
        database = database or self.database
        analyses = Analyses(database, self.redis, self.clock, others, None)
        phases = Phases(database, self.clock, EventLog(database, self.redis), analyses, budgets_s)
        self.opened.append(phases)
        return phases

    async def stored(self, run_id: UUID) -> list[int]:
        rows = await self.owner.fetch(
            "SELECT phase_number FROM analysis_phases WHERE run_id = $1 ORDER BY created_at, phase_number", run_id
        )
        return [row[0] for row in rows]

    async def completed(self, run_id: UUID) -> None:
        await until(lambda: self._is_complete(run_id))

    async def _is_complete(self, run_id: UUID) -> bool:
        return await self.stored(run_id) == ALL

    async def published(self, run_id: UUID) -> list[tuple[int, int]]:
        """Seq and phase of each event."""
        rows = await self.database.pool.fetch(
            "SELECT seq, payload FROM events WHERE stream = $1 ORDER BY seq", analysis_stream(run_id)
        )
        return [(row["seq"], row["payload"]["phase"]) for row in rows]

    async def parts(self, run_id: UUID) -> dict[str, str]:
        """The reason of each part, by its type."""
        found = await self.owner.fetch("SELECT phase_data::text FROM analysis_phases WHERE run_id = $1", run_id)
        return {
            part["type"]: part["reason"] for row in found for part in msgspec.json.decode(row["phase_data"])["parts"]
        }


@pytest_asyncio.fixture
async def scene(database: Database, redis: Redis, clock: FixedClock, owner: Owner) -> AsyncIterator[Scene]:
    scene = Scene(database, redis, clock, owner)
    yield scene
    for phases in scene.opened:
        await phases.stop()
        await phases.analyses.stop()


@pytest_asyncio.fixture
async def viewer(owner: Owner) -> Viewer:
    return await somebody(owner)


async def test_four_phases_are_completed_in_order_each_with_its_parts(scene: Scene, viewer: Viewer) -> None:
    run_id = await scene.phases().open(viewer, "BTC")
    await scene.completed(run_id)
    assert await scene.published(run_id) == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert set(await scene.parts(run_id)) == {kind.value for kind in AnalysisType}
    assert sorted(kind for kinds in PHASES.values() for kind in kinds) == sorted(AnalysisType)


async def test_a_session_has_one_run_for_a_symbol_and_hour(scene: Scene, viewer: Viewer) -> None:
    phases = scene.phases()
    first = await phases.open(viewer, "BTC")
    await scene.completed(first)
    assert await phases.open(viewer, "BTC") == first
    assert await phases.open(viewer, "ETH") != first
    assert await phases.open(viewer_of(viewer.user_id), "BTC") != first
    scene.clock.advance(RUN_TTL - timedelta(seconds=1))
    assert await phases.open(viewer, "BTC") == first
    scene.clock.advance(timedelta(seconds=1))
    second = await phases.open(viewer, "BTC")
    assert second != first
    await scene.completed(second)
    assert await scene.stored(first) == []
    streams = await scene.owner.fetch("SELECT stream FROM event_streams WHERE stream LIKE 'analysis:%'")
    assert analysis_stream(first) not in [row[0] for row in streams]


@pytest.mark.usefixtures("warm")
async def test_opening_a_run_twice_at_once_opens_one_and_each_phase_is_published_once(
    scene: Scene, viewer: Viewer
) -> None:
    processes = [scene.phases() for _ in range(4)]
    runs = await asyncio.gather(*(each.open(viewer, "BTC") for each in processes for _ in range(3)))
    assert len(set(runs)) == 1
    await scene.completed(runs[0])
    for each in processes:
        # The late one finds it done, and ends.
        await until(lambda each=each: not each._running.has(runs[0]))  # type: ignore[misc]
    assert await scene.published(runs[0]) == [(1, 1), (2, 2), (3, 3), (4, 4)]


async def test_a_late_part_is_marked_as_late_and_the_phase_is_in_time(scene: Scene, viewer: Viewer) -> None:
    hanging = frozenset({AnalysisType.MARKET_DATA, AnalysisType.SENTIMENT, AnalysisType.DEFI})
    # Whatever does not hang is in time in the end, however slow the machine is.
    for budget_s in (0.25 * 2**attempt for attempt in range(10)):
        budgets = {number: number * budget_s for number in BUDGETS_S}
        phases = scene.phases(hanging=hanging, budgets_s=budgets)
        run_id = await phases.open(viewer_of(viewer.user_id), "BTC")
        await scene.completed(run_id)
        reasons = await scene.parts(run_id)
        late = {kind: reason for kind, reason in reasons.items() if reason != "Nothing is known."}
        expected = {
            "market-data": f"It was not there within the {budgets[1]:g} s of phase 1.",
            "sentiment": f"It was not there within the {budgets[2]:g} s of phase 2.",
            "defi": f"It was not there within the {budgets[4]:g} s of phase 4.",
            # It is made of the others.
            "research": f"It was not there within the {budgets[4]:g} s of phase 4.",
        }
        assert expected.items() <= late.items()
        if late == expected:
            return
    raise AssertionError(f"late without a reason: {late.keys() - expected.keys()}")


async def test_a_run_whose_process_was_killed_goes_on_where_it_was(
    scene: Scene, viewer: Viewer, database_url: str, servers: Embedded
) -> None:
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.domains.market.analysis.phase_worker",
        database_url,
        servers.redis_url,
        str(viewer.user_id),
        str(viewer.session_id),
    )
    try:
        assert await worker.wait() == -signal.SIGKILL
    finally:
        if worker.returncode is None:
            worker.kill()
            await worker.wait()
    run_id = await scene.owner.fetchval("SELECT id FROM analysis_runs")
    assert await scene.stored(run_id) == [1, 2]
    assert await scene.phases().open(viewer, "BTC") == run_id
    await scene.completed(run_id)
    assert await scene.published(run_id) == [(1, 1), (2, 2), (3, 3), (4, 4)]


async def test_an_outage_of_postgres_is_waited_out(scene: Scene, viewer: Viewer) -> None:
    class Shaky:
        def __init__(self, database: Database) -> None:
            self._database = database
            self.failures = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(self._database, name)

        async def write(self, *arguments: Any) -> Any:
            if self.failures > 0:
                self.failures -= 1
                raise Unavailable
            return await self._database.write(*arguments)

    shaky = Shaky(scene.database)
    phases = scene.phases(database=shaky)
    run_id = await phases.open(viewer, "BTC")
    shaky.failures = 2
    await scene.completed(run_id)
    assert shaky.failures == 0
    assert await scene.published(run_id) == [(1, 1), (2, 2), (3, 3), (4, 4)]


async def test_expired_runs_are_forgotten_with_the_places_of_their_streams(scene: Scene, viewer: Viewer) -> None:
    phases = scene.phases()
    old = await phases.open(viewer, "BTC")
    await scene.completed(old)
    scene.clock.advance(timedelta(minutes=30))
    young = await phases.open(viewer, "ETH")
    await scene.completed(young)
    assert await phases.delete_expired() == 0
    scene.clock.advance(timedelta(minutes=30))
    assert await phases.delete_expired() == 1
    assert await scene.stored(old) == []
    assert await scene.stored(young) == ALL
    streams = await scene.owner.fetch("SELECT stream FROM event_streams WHERE stream LIKE 'analysis:%'")
    assert [row[0] for row in streams] == [analysis_stream(young)]


RUNS = statement("runs", "All.", "SELECT id FROM analysis_runs")
STORED = statement("phases", "All.", "SELECT id FROM analysis_phases")
TAKE = statement("take", "Takes a run.", "UPDATE analysis_runs SET user_id = $1")
FORGE = statement(
    "forge",
    "A phase in another's name.",
    "INSERT INTO analysis_phases (run_id, user_id, phase_number, phase_data) VALUES ($1, $2, 1, '{}')",
)


async def test_only_its_owner_sees_a_run(scene: Scene, viewer: Viewer) -> None:
    run_id = await scene.phases().open(viewer, "BTC")
    await scene.completed(run_id)
    other = await somebody(scene.owner)
    for scope, runs in ((viewer.scope, 1), (SYSTEM, 1), (other.scope, 0), (PUBLIC, 0)):
        async with scene.database.snapshot(scope) as tx:
            assert len(await tx.fetch(RUNS)) == runs
            assert len(await tx.fetch(STORED)) == 4 * runs
    assert await scene.database.write(other.scope, lambda tx: tx.execute(TAKE, other.user_id)) == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await scene.database.write(other.scope, lambda tx: tx.execute(FORGE, run_id, viewer.user_id))

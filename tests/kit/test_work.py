"""Work that holds a connection may not wait for another one, however it was begun."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import strawberry
from pgqueuer.models import Job as QueuedJob
from strawberry.schema.config import StrawberryConfig

from app.engine.declarations.stream_events import StreamEvent
from app.engine.declarations.subscriptions import durable
from app.engine.execution.engine import Engine
from app.kit.clock import FixedClock
from app.kit.db import PUBLIC, SYSTEM, Database, Tx
from app.kit.events import Event
from app.kit.jobs import Job, Schedule, _entrypoint, run_schedule
from app.kit.reads import Reads
from app.kit.single_flight import SingleFlight
from app.kit.work import Work, begin_transaction, current_work, working
from app.schema.scalars import SCALARS
from tests.conftest import APP_ROLE
from tests.databases import NOON
from tests.engine.support import LIMITS, Context, prepare
from tests.statements import statement
from tests.waiting import HANG_S

ONE = statement("one", "Asks for nothing.", "SELECT 1")
GUARD = "may not wait for another"


@pytest.fixture
def pool_size() -> int:
    """A pool of one connection: waiting for a second one never ends."""
    return 1


async def nested(database: Database) -> None:
    """Waits for a second connection, in each of the ways there are; all are forbidden."""

    async def second(tx: Tx) -> None:
        async def snapshot() -> None:
            async with database.snapshot(PUBLIC):
                pytest.fail("it got a second one")

        waits: list[Callable[[], Awaitable[object]]] = [
            lambda: database.fetch(ONE),
            lambda: database.fetch_one(ONE),
            lambda: database.read(PUBLIC, lambda tx: tx.fetch(ONE)),
            lambda: database.write(SYSTEM, lambda tx: tx.fetch(ONE)),
            snapshot,
        ]
        for wait in waits:
            with pytest.raises(RuntimeError, match=GUARD):
                await wait()
            with pytest.raises(RuntimeError, match=GUARD):
                # Nor may a task that it begins.
                await asyncio.gather(wait())
        assert await tx.fetch(ONE)

    await database.write(SYSTEM, second)
    await database.read(PUBLIC, second)
    async with database.snapshot(PUBLIC) as tx:
        await second(tx)
    # One after the other is allowed.
    assert await database.fetch(ONE)


@strawberry.type
class _Query:
    @strawberry.field
    async def nested(self, info: strawberry.Info[Context, None]) -> str:
        await nested(info.context.reads.database)
        return "guarded"


@strawberry.type
class _Happening(StreamEvent):
    """An event."""


def _event(event: Event) -> _Happening:
    return _Happening()


@strawberry.type
class _Subscription:
    @durable(_Happening, payload=_event, per_s=1.0, description="Events.")
    async def nested(self, info: strawberry.Info[Context, None]) -> str:
        await nested(info.context.reads.database)
        return "guarded"


def context(database: Database) -> Context:
    return Context(reads=Reads(database, PUBLIC))  # type: ignore[arg-type]  # these count nothing


async def request(database: Database) -> None:
    engine = Engine(strawberry.Schema(_Query), LIMITS)
    response = await engine.execute(prepare(engine, "{ nested }"), context(database))
    assert response.data == {"nested": "guarded"}


async def subscription(database: Database) -> None:
    scalars = StrawberryConfig(scalar_map=SCALARS)
    engine = Engine(strawberry.Schema(_Query, subscription=_Subscription, config=scalars), LIMITS)
    opened = await engine.open_stream(prepare(engine, "subscription { nested { cursor } }"), context(database))
    assert opened.stream == "guarded"


async def job(database: Database) -> None:
    async def handler(_: dict[str, Any]) -> None:
        await nested(database)

    await _entrypoint(Job("nested", handler))(QueuedJob.model_construct(payload=None))  # type: ignore[call-arg]  # nothing else is read


async def schedule(database: Database) -> None:
    async def handler() -> str:
        await nested(database)
        return "guarded"

    await run_schedule(database, FixedClock(NOON), Schedule("nested", "* * * * *", "Nests.", handler))


async def long_running(database: Database) -> None:
    async def run() -> None:
        await nested(database)
        # It may have tasks of its own, and none of them is refused for another's transaction.
        await asyncio.gather(*(asyncio.create_task(nested(database)) for _ in range(3)))

    await asyncio.create_task(run())


async def shared_flight(database: Database) -> None:
    await SingleFlight[None]().join("key", lambda: nested(database))


@pytest.mark.parametrize("entry", [request, subscription, job, schedule, long_running, shared_flight])
async def test_each_kind_of_entry_is_guarded(database: Database, entry: Callable[[Database], Awaitable[None]]) -> None:
    await entry(database)
    assert current_work() is None


async def test_a_verb_is_guarded(database_url: str) -> None:
    async def verb() -> None:
        database = await Database.open(database_url, role=APP_ROLE, size=1, timeout_s=HANG_S)
        try:
            await nested(database)
        finally:
            await database.close()

    await asyncio.to_thread(asyncio.run, verb())


async def test_a_task_outlives_the_transaction_that_it_was_begun_in(database: Database) -> None:
    over, later = asyncio.Event(), []

    async def go_on() -> None:
        await over.wait()
        # Each a transaction of its own, at the same time: what they were begun in is over.
        first, second = begin_transaction(), current_work()
        later.append((first, second))
        await asyncio.sleep(0)
        first.open_transactions -= 1

    async with database.snapshot(PUBLIC):
        tasks = [asyncio.create_task(go_on()) for _ in range(2)]
    assert current_work() is None
    over.set()
    await asyncio.gather(*tasks)
    (first, current), (second, _) = later
    assert first is current
    assert first is not second


async def test_one_of_two_transactions_that_ends_leaves_the_other_guarded(database: Database) -> None:
    with working(Work()):
        for work in (begin_transaction(), begin_transaction()):
            with pytest.raises(RuntimeError, match=GUARD):
                await database.fetch(ONE)
            work.open_transactions -= 1
        assert await database.fetch(ONE)

"""Statements are counted for each response, against a real server."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio
import strawberry
from strawberry.schema.config import StrawberryConfig

from app.dev.embedded import Embedded
from app.engine.declarations.stream_events import StreamEvent
from app.engine.declarations.subscriptions import durable
from app.engine.execution.engine import Engine
from app.kit.db import PUBLIC, Database
from app.kit.loaders import Audience
from app.kit.reads import Reads
from app.schema.scalars import SCALARS
from tests.engine.support import CURSORS, LIMITS, prepare
from tests.statements import statement
from tests.waiting import HANG_S

ONE = statement("one", "Asks for nothing.", "SELECT 1")


class Context:
    """Nothing but loads."""

    cursors = CURSORS
    request_id = "request-1"
    viewer_id = None
    party = None

    def __init__(self, database: Database) -> None:
        self.reads = Reads(database, PUBLIC)

    def audience_key(self, audience: Audience) -> None:
        return None

    def for_event(self, audience: Audience) -> "Context":
        return Context(self.reads.database)

    async def read_anew(self) -> None:
        before, self.reads = self.reads, self.reads.anew(PUBLIC)
        await before.aclose()


Info = strawberry.Info[Context, None]


async def _ask(info: Info, times: int) -> int:
    await asyncio.gather(*(info.context.reads.database.fetch(ONE) for _ in range(times)))
    return times


@strawberry.type
class Query:
    @strawberry.field
    async def ask(self, info: Info, times: int) -> int:
        return await _ask(info, times)


@strawberry.type
class Event(StreamEvent):
    @strawberry.field
    async def ask(self, info: Info, times: int) -> int:
        return await _ask(info, times)


@strawberry.type
class Subscription:
    @durable(Event, payload=lambda event: Event(), per_s=1.0, description="Events.")
    async def events(self) -> str:
        return "events"


@pytest_asyncio.fixture
async def database(servers: Embedded) -> AsyncIterator[Database]:
    """A pool on a database that holds nothing."""
    pool = await Database.open(servers.database_url, role=None, size=4, timeout_s=HANG_S)
    yield pool
    await pool.close()


async def test_statements_are_counted_for_each_response_apart(database: Database) -> None:
    engine = Engine(strawberry.Schema(Query), LIMITS, show_statements=True)
    counts = await asyncio.gather(
        *(
            engine.execute(prepare(engine, f"{{ ask(times: {times}) again: ask(times: 1) }}"), Context(database))
            for times in (0, 3, 5)
        )
    )
    assert [response.statements for response in counts] == [1, 4, 6]
    assert [response.extensions["statements"] for response in counts] == [1, 4, 6]
    hidden = Engine(strawberry.Schema(Query), LIMITS)
    response = await hidden.execute(prepare(hidden, "{ ask(times: 2) }"), Context(database))
    assert (response.statements, list(response.extensions)) == (2, ["cost"])


async def test_statements_of_each_event_are_its_own(database: Database) -> None:
    engine = Engine(
        strawberry.Schema(Query, subscription=Subscription, config=StrawberryConfig(scalar_map=SCALARS)), LIMITS
    )
    prepared = prepare(engine, "subscription { events { ask(times: 2) } }")
    responses = [await engine.answer_event(prepared, Context(database), Event()) for _ in range(2)]
    assert [response.statements for response in responses] == [2, 2]
    assert [response.data for response in responses] == [{"events": {"ask": 2}}] * 2

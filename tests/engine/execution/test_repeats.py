"""A request is repeated where others had to make something for it first, and where a migration came between."""

from collections import Counter
from typing import Any

import pytest
import strawberry
from msgspec.structs import replace
from strawberry.schema.config import StrawberryConfig

from app.engine.declarations.stream_events import StreamEvent
from app.engine.declarations.subscriptions import durable
from app.engine.execution.breadth_first import Levels
from app.engine.execution.engine import MAX_REPEATS, Engine
from app.engine.execution.operations import ExecutionPath, Response
from app.kit.db import SYSTEM, Database
from app.kit.errors import Repeatable, Unavailable
from app.kit.events import Event
from app.kit.reads import Reads
from app.schema.scalars import SCALARS
from tests.engine.support import LIMITS, Context, prepare

LEVELS = 3


class Asking(Context):
    """What was made for it, and how many migrations are still to come between."""

    def __init__(self, database: Database, migrations: int = 0) -> None:
        super().__init__(reads=Reads(database, SYSTEM))  # type: ignore[arg-type]  # these count nothing
        self.made = Counter[str]()
        self.migrations = migrations

    async def read_anew(self) -> None:
        before, self.reads = self.reads, self.reads.anew(SYSTEM)  # type: ignore[assignment]
        await before.aclose()


async def made(context: Asking, key: str) -> str:
    async def make() -> str:
        context.made[key] += 1
        return key

    return await context.reads.external(key, make)


@strawberry.interface
class Named:
    name: str = "anything"


@strawberry.type
class Made(Named):
    """An external result, which shows what else has to be."""

    @strawberry.field
    async def left(self, info: strawberry.Info[Asking, None]) -> "Made":
        return Made(name=await made(info.context, f"{self.name}l"))

    @strawberry.field
    async def right(self, info: strawberry.Info[Asking, None]) -> "Made | None":
        return Made(name=await made(info.context, f"{self.name}r"))

    @strawberry.field
    async def never(self, info: strawberry.Info[Asking, None]) -> str:
        """Needs another thing each time."""
        return await made(info.context, f"{len(info.context.made)}")

    @strawberry.field
    async def interrupted(self, info: strawberry.Info[Asking, None]) -> str:
        if info.context.migrations:
            info.context.migrations -= 1
            raise Repeatable
        return "no more"


@strawberry.type
class Query:
    @strawberry.field
    def root(self) -> Made:
        return Made(name="")

    @strawberry.field
    def named(self) -> Named:
        return Made(name="")


@strawberry.type
class Happening(StreamEvent):
    """An event."""


def _event(event: Event) -> Happening:
    return Happening()


@strawberry.type
class Subscription:
    @durable(Happening, payload=_event, per_s=1.0, description="Events.")
    async def events(self, info: strawberry.Info[Asking, None]) -> str:
        if info.context.migrations:
            info.context.migrations -= 1
            raise Repeatable
        return "events"


SCHEMA = strawberry.Schema(Query, subscription=Subscription, types=[Made], config=StrawberryConfig(scalar_map=SCALARS))
ROUNDS = (
    "{ root { left { name left { name left { name interrupted } right { name } } } right { name right { name } } } }"
)
ANSWER = {
    "root": {
        "left": {
            "name": "l",
            "left": {
                "name": "ll",
                "left": {"name": "lll", "interrupted": "no more"},
                "right": {"name": "llr"},
            },
        },
        "right": {"name": "r", "right": {"name": "rr"}},
    }
}


@pytest.fixture
def executions(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a document was executed, and by whom."""
    counted = Counter[str]()
    answer, begin = Levels.answer, Engine._executor

    async def count(levels: Levels, *arguments: Any) -> dict[str, Any]:
        counted["level by level"] += 1
        return await answer(levels, *arguments)

    def count_executors(*arguments: Any) -> Any:
        counted["in all"] += 1
        return begin(*arguments)

    monkeypatch.setattr(Levels, "answer", count)
    monkeypatch.setattr(Engine, "_executor", count_executors)
    return counted


async def run(query: str, context: Asking, **limits: Any) -> tuple[Response, Engine]:
    engine = Engine(SCHEMA, replace(LIMITS, **limits))
    return await engine.execute(prepare(engine, query), context), engine


async def test_each_round_executes_the_document_once(database: Database, executions: Counter[str]) -> None:
    context = Asking(database)
    response, engine = await run(ROUNDS, context)
    assert (response.data, response.errors) == (ANSWER, [])
    assert context.made == dict.fromkeys(["l", "r", "ll", "rr", "lll", "llr"], 1)
    # One for each level that had something due, and one that answers.
    assert executions == {"level by level": LEVELS + 1, "in all": LEVELS + 1}
    assert engine.paths == {ExecutionPath.BREADTH_FIRST: 1}


async def test_what_is_left_to_graphql_takes_no_more_rounds(database: Database, executions: Counter[str]) -> None:
    context = Asking(database)
    response, _ = await run(ROUNDS.replace("root {", "named { ... on Made {") + "}", context)
    assert (response.data, response.errors) == ({"named": ANSWER["root"]}, [])
    assert context.made == dict.fromkeys(["l", "r", "ll", "rr", "lll", "llr"], 1)
    assert executions == {"in all": LEVELS + 1}


async def test_rounds_leave_migrations_what_is_theirs(database: Database, executions: Counter[str]) -> None:
    # As many as are borne, behind as many rounds: together they are more than either may be.
    context = Asking(database, migrations=MAX_REPEATS * 2)
    response, engine = await run(ROUNDS, context)
    assert (response.data, response.errors) == (ANSWER, [])
    assert context.made == dict.fromkeys(["l", "r", "ll", "rr", "lll", "llr"], 1)
    # Where a migration comes between, graphql-core executes it once more for its errors.
    assert executions == {"level by level": LEVELS + MAX_REPEATS + 1, "in all": LEVELS + 2 * MAX_REPEATS + 1}
    assert engine.paths == {ExecutionPath.BREADTH_FIRST: 1, ExecutionPath.FELL_BACK: MAX_REPEATS}


async def test_both_are_bounded(database: Database, executions: Counter[str]) -> None:
    response, _ = await run("{ root { interrupted } }", Asking(database, migrations=10_000))
    assert response.codes == ["MAINTENANCE"]
    assert executions["level by level"] == MAX_REPEATS + 1

    executions.clear()
    response, _ = await run("{ root { never } }", Asking(database))
    assert response.codes == ["MAINTENANCE"]
    assert executions == {"level by level": LIMITS.depth + 1, "in all": LIMITS.depth + 1}


async def test_a_stream_is_opened_where_a_migration_comes_between(database: Database) -> None:
    engine = Engine(SCHEMA, LIMITS)
    prepared = prepare(engine, "subscription { events { cursor } }")
    opened = await engine.open_stream(prepared, Asking(database, migrations=MAX_REPEATS))
    assert opened.stream == "events"
    with pytest.raises(Unavailable):
        await engine.open_stream(prepared, Asking(database, migrations=MAX_REPEATS + 1))

"""Lists with arguments of their own, on either execution path."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio
import strawberry
from graphql.execution import Executor
from strawberry.schema.config import StrawberryConfig

from app.engine.declarations.bindings import bind_resolvers
from app.engine.declarations.nodes import record_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import Chosen, Relation, paged
from app.engine.execution import engine as execution
from app.engine.execution.engine import Engine
from app.engine.execution.operations import Response
from app.kit.db import PUBLIC, Database
from app.kit.errors import Forbidden, InvalidInput
from app.kit.lists import at_least, by
from app.kit.loaders import Audience, page
from app.kit.reads import Reads
from app.kit.sql import Rows
from app.schema.scalars import SCALARS
from tests.databases import Owner
from tests.engine.support import CURSORS, LIMITS
from tests.lists import encode

MANY = 300


class Number(msgspec.Struct, frozen=True):
    owner: str
    value: int


def rows(name: str, remainder: int) -> Rows[Number]:
    """Numbers that leave this remainder, with what they are filtered by."""
    text = "SELECT n.owner, n.value, n.value AS least FROM numbers n WHERE n.owner = {key::text}"
    return Rows(name, ".", f"{text} AND n.value % {{divisor::integer}} = {remainder}", Number)


BY_VALUE = {"VALUE": by("value")}
LEAST = {"least": at_least("least")}
NUMBERS = page(rows("numbers", 0), orders=BY_VALUE, filters=LEAST, audience=Audience.PUBLIC)
ODD = page(rows("odd_numbers", 1), orders=BY_VALUE, filters=LEAST, audience=Audience.PUBLIC)


@strawberry.enum
class Kind(Enum):
    ALL = strawberry.enum_value(1)
    EVEN = strawberry.enum_value(2)
    FIFTHS = strawberry.enum_value(5)


@strawberry.input
class Range:
    at_least: int | None = None


def filters(
    kind: Kind, within: Annotated[Range | None, strawberry.argument(name="from")] = None, least: int = 1
) -> dict[str, Any]:
    """Least is 7 for the sake of a failure."""
    if least == 7:
        raise InvalidInput("least", "Not seven.")
    return {"divisor": kind.value, "least": max(least, (within.at_least if within else None) or 0)}


def odd_or_even(odd: bool = False) -> dict[str, Any] | Chosen:
    chosen = {"divisor": 2, "least": 1}
    return Chosen(chosen, ODD) if odd else chosen


PRIVATE = page(rows("private_numbers", 0), orders=BY_VALUE, filters=LEAST, audience=Audience.VIEWER)


def all_but_b(context: Any, owner: Any) -> bool:
    assert isinstance(context, Context)
    if owner.name == "c":
        raise Forbidden
    return bool(owner.name != "b")


@record_type(Number)
class NumberType:
    value: int


@strawberry.type
class Owned:
    name: str
    numbers: Connection[NumberType] = paged(NUMBERS, key="name", filtering=filters, max_size=200, description=".")
    halves: Connection[NumberType] = paged(NUMBERS, key="name", filtering=odd_or_even, description=".")
    secrets: Connection[NumberType] | None = paged(
        PRIVATE, key="name", filtering=odd_or_even, allowed=all_but_b, description="."
    )


@strawberry.type(name="Query")
class Root:
    @strawberry.field
    def owners(self) -> list[Owned]:
        return [Owned(name="a"), Owned(name="b")]

    @strawberry.field
    def forbidden(self) -> list[Owned]:
        return [Owned(name="a"), Owned(name="c")]


SCHEMA = strawberry.Schema(Root, config=StrawberryConfig(scalar_map=SCALARS))
bind_resolvers(SCHEMA)


@dataclass
class Context:
    cursors = CURSORS
    database: Database
    viewer_id: UUID | None = None
    party: UUID | None = None
    request_id: str = "request-1"
    reads: Reads = field(init=False)

    def __post_init__(self) -> None:
        self.reads = Reads(self.database, PUBLIC)

    def audience_key(self, audience: Audience) -> Hashable:
        return None

    def for_event(self, audience: Audience) -> "Context":
        return Context(self.database)

    async def read_anew(self) -> None:
        before, self.reads = self.reads, self.reads.anew(PUBLIC)
        await before.aclose()


@pytest_asyncio.fixture(autouse=True)
async def numbers(owner: Owner) -> None:
    await owner.execute(
        f"CREATE TABLE numbers (owner text, value integer); GRANT SELECT ON numbers TO moneta_app;"
        f"INSERT INTO numbers SELECT o, n FROM generate_series(1, {MANY}) n, unnest(ARRAY['a', 'b']) o"
    )


@pytest.fixture(params=["breadth", "core"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "core":
        monkeypatch.setattr(execution, "plan", lambda executor: None)
    return str(request.param)


async def run(
    database: Database, query: str, variables: dict[str, Any] | None = None, *, cost: int = 20_000
) -> Response:
    engine = Engine(SCHEMA, msgspec.structs.replace(LIMITS, cost=cost), show_statements=True)
    prepared = engine.prepare(query, None, variables, introspection_allowed=True)
    if isinstance(prepared, list):
        return Response.refused(prepared, "test")
    return await engine.execute(prepared, Context(database))


def values(response: Response) -> list[list[int]]:
    assert response.errors == []
    assert response.data is not None
    return [[node["value"] for node in owner["numbers"]["nodes"]] for owner in response.data["owners"]]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("kind: EVEN, first: 2", [2, 4]),
        ("kind: FIFTHS, from: {atLeast: 12}, first: 2", [15, 20]),
        ("kind: ALL, least: 9, first: 1", [9]),
        ("kind: ALL, from: null, first: 1", [1]),
        ("kind: $kind, from: $from, first: $first", [10, 12, 14]),
        ("kind: $kind, least: $absent, first: 1", [2]),
    ],
)
async def test_arguments_become_filters_for_every_parent(
    database: Database, path: str, arguments: str, expected: list[int]
) -> None:
    head = "query($kind: Kind! = EVEN, $from: Range, $first: Int! = 3, $absent: Int! = 1)"
    variables = {"from": {"atLeast": 10}}
    unused = "owners { a: numbers(kind: $kind, from: $from, least: $absent, first: $first) { nodes { value } } }"
    query = f"{head} {{ x: {unused} owners {{ numbers({arguments}) {{ nodes {{ value }} }} }} }}"
    response = await run(database, query, variables)
    assert values(response) == [expected, expected]


async def test_pages_follow_one_another_under_the_same_filter_and_are_counted_under_it(
    database: Database, path: str
) -> None:
    query = """query($after: Cursor) { owners {
        numbers(kind: EVEN, first: 100, after: $after) {
            nodes { value } totalCount { value precision } pageInfo { hasNextPage endCursor } streamCursor
        }
    } }"""
    first = await run(database, query)
    assert values(first)[0] == list(range(2, 202, 2))
    assert first.data is not None
    listed = first.data["owners"][1]["numbers"]
    assert listed["totalCount"] == {"value": MANY // 2, "precision": "EXACT"}
    assert listed["streamCursor"] is None
    assert first.statements == 2
    second = await run(database, query, {"after": listed["pageInfo"]["endCursor"]})
    assert values(second)[1] == list(range(202, 302, 2))
    assert second.data is not None
    assert second.data["owners"][1]["numbers"]["pageInfo"]["hasNextPage"] is False


@pytest.mark.parametrize(
    ("paging", "selected", "asked"),
    [
        ({"first": 2}, "both", (False, False)),
        ({"first": 2, "after": 4}, "hasPreviousPage", (True, False)),
        ({"first": 2, "after": 4}, "hasNextPage", (False, False)),
        ({"last": 2, "before": 4}, "hasNextPage", (False, True)),
        ({"last": 2, "before": 4}, "hasPreviousPage", (False, False)),
        ({"first": 2, "after": 2, "before": 9}, "both", (True, True)),
        ({"first": 2, "after": 2, "before": 9}, "neither", (False, False)),
    ],
)
def test_what_is_around_a_page_is_asked_only_where_it_is_selected(
    paging: dict[str, int], selected: str, asked: tuple[bool, bool]
) -> None:
    arguments = {
        name: value if name in {"first", "last"} else encode(NUMBERS, Number("a", value))
        for name, value in paging.items()
    }

    def selects(*path: str) -> bool:
        return path[0] == "pageInfo" and selected in {path[1], "both"}

    relation = Relation(NUMBERS, "name", filtering=lambda _: Chosen({"divisor": 1}))
    _, request = relation.request(CURSORS, arguments, selects)
    assert (request.asks_previous, request.asks_next) == asked


async def test_arguments_may_choose_another_loader(database: Database, path: str) -> None:
    query = """query($after: Cursor) { owners {
        numbers: halves(first: 3, after: $after, odd: true) {
            nodes { value } totalCount { value } pageInfo { endCursor }
        }
        even: halves(first: 2) { nodes { value } }
    } }"""
    first = await run(database, query)
    assert values(first) == [[1, 3, 5], [1, 3, 5]]
    assert first.data is not None
    owner = first.data["owners"][0]
    assert owner["even"] == {"nodes": [{"value": 2}, {"value": 4}]}
    assert owner["numbers"]["totalCount"] == {"value": MANY // 2}
    second = await run(database, query, {"after": owner["numbers"]["pageInfo"]["endCursor"]})
    assert values(second) == [[7, 9, 11], [7, 9, 11]]


def test_arguments_choose_no_loader_of_another_audience() -> None:
    private = msgspec.structs.replace(ODD, audience=Audience.VIEWER)
    relation = Relation(NUMBERS, None, filtering=lambda _: Chosen({"divisor": 2}, private))
    with pytest.raises(AssertionError):
        relation.request(CURSORS, {}, lambda *_: False)


async def test_a_list_that_the_caller_may_not_read_is_null(database: Database, path: str) -> None:
    response = await run(database, "{ owners { secrets(first: 2) { nodes { value } totalCount { value } } } }")
    assert response.errors == []
    assert response.data == {
        "owners": [
            {"secrets": {"nodes": [{"value": 2}, {"value": 4}], "totalCount": {"value": MANY // 2}}},
            {"secrets": None},
        ]
    }


async def test_what_is_raised_for_a_list_is_said_where_it_was_asked(database: Database, path: str) -> None:
    response = await run(database, "{ forbidden { secrets { nodes { value } } } }")
    assert [error["path"] for error in response.errors] == [["forbidden", 1, "secrets"]]
    assert response.data is not None
    assert len(response.data["forbidden"][0]["secrets"]["nodes"]) == 20
    assert response.data["forbidden"][1] == {"secrets": None}


def test_a_list_for_everybody_is_refused_to_nobody() -> None:
    with pytest.raises(ValueError, match="must have the audience VIEWER"):
        paged(NUMBERS, allowed=all_but_b, description=".")


def test_the_arguments_of_a_list_precede_those_of_every_list() -> None:
    fields = SCHEMA._schema.type_map["Owned"].fields  # type: ignore[attr-defined]  # an object type
    assert list(fields["numbers"].args) == ["kind", "from", "least", "first", "after", "last", "before"]


async def test_what_the_filters_refuse_is_said_where_it_was_asked(database: Database, path: str) -> None:
    response = await run(database, "{ owners { name numbers(kind: ALL, least: 7) { nodes { value } } } }")
    assert response.data is None
    assert [(error["path"], error["extensions"]) for error in response.errors] == [
        (["owners", 0, "numbers"], {"code": "BAD_USER_INPUT", "fields": [{"path": ["least"], "message": "Not seven."}]})
    ]


async def test_a_list_may_have_larger_pages_than_others(database: Database, path: str) -> None:
    response = await run(database, "{ owners { numbers(kind: ALL, first: 200) { nodes { value } } } }")
    assert len(values(response)[0]) == 200
    response = await run(database, "{ owners { numbers(kind: ALL, first: 201) { nodes { value } } } }")
    assert response.errors[0]["message"] == "`first` must be between 1 and 200."


async def test_a_missing_argument_is_refused_before_anything_runs(database: Database) -> None:
    response = await run(database, "{ owners { numbers { nodes { value } } } }")
    assert response.codes == ["BAD_USER_INPUT"]
    assert "kind" in response.errors[0]["message"]


async def test_a_refusal_names_the_largest_page_that_this_list_may_have(database: Database) -> None:
    query = "{ owners { numbers(kind: ALL, first: 190) { nodes { value again: value } } } }"
    refused = await run(database, query, cost=3000)
    assert refused.codes == ["COST_EXCEEDED"]
    # 1 for `owners`, ten times 1 for `numbers`, 1 for `nodes` and 2 for each of the items.
    assert "fits with `first: 148` or less instead of 190" in refused.errors[0]["message"]
    assert (await run(database, query.replace("190", "148"), cost=3000)).errors == []
    assert (await run(database, query.replace("190", "149"), cost=3000)).codes == ["COST_EXCEEDED"]


def test_the_declaration_is_what_the_schema_shows() -> None:
    assert SCHEMA.as_str().count("\n  numbers(") == 1
    field = SCHEMA._schema.type_map["Owned"].fields["numbers"]  # type: ignore[attr-defined]  # an object type
    assert {name: str(argument.type) for name, argument in field.args.items()} == {
        "kind": "Kind!",
        "from": "Range",
        "least": "Int!",
        "first": "Int",
        "after": "Cursor",
        "last": "Int",
        "before": "Cursor",
    }
    assert "1 to 200" in field.args["first"].description


async def test_such_a_list_is_taken_breadth_first(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(self: Any) -> Any:
        raise AssertionError("answered by graphql-core")

    monkeypatch.setattr(Executor, "execute_operation", never)
    query = "{ owners { numbers(kind: EVEN, from: {atLeast: 3}, first: 1) { nodes { value } } } }"
    assert values(await run(database, query)) == [[4], [4]]

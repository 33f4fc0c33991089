"""Expected failures of a mutation as members of its union."""

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
import strawberry
from graphql import GraphQLEnumType
from strawberry.types import ExecutionResult

from app.engine.declarations.bindings import bind_resolvers
from app.engine.declarations.nodes import record_type
from app.engine.declarations.problems import Problem, code_of, declare_codes, mutation, problem_type
from app.kit import errors


class Record(msgspec.Struct, frozen=True):
    """A record of a part."""

    name: str


class Refused(errors.Problem):
    """Refused."""


class RefusedTwice(Refused):
    """Refused twice."""

    field = "name"

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times


class RefusedForGood(RefusedTwice):
    """Refused for good."""


class Unnamed(errors.Problem):
    """Another failure."""


@problem_type(Refused)
class RefusedProblem(Problem):
    """It was refused."""


@problem_type(RefusedTwice)
class RefusedTwiceProblem(Problem):
    """It was refused more than once."""

    times: int


@problem_type(Unnamed)
class UnnamedProblem(Problem):
    """Another failure, which no mutation names."""


@problem_type(errors.NotFound)
class Missing(Problem):
    """There is no such part."""

    type_name: str


@record_type(Record)
class Part:
    name: str


@strawberry.type
class WorkPayload:
    part: Part | None


@strawberry.type
class RefusePayload:
    done: bool


@strawberry.input
class WorkInput:
    name: str
    part_id: strawberry.ID | None = None


async def fail(input: WorkInput) -> Any:
    match input.name:
        case "refused":
            raise Refused("No.")
        case "twice":
            raise RefusedTwice(2)
        case "for good":
            raise RefusedForGood(3)
        case "missing":
            raise errors.NotFound(Record)
        case "unnamed":
            raise Unnamed
    return WorkPayload(part=None)


@strawberry.type
class Mutation:
    work = mutation(WorkPayload, RefusedProblem, RefusedTwiceProblem, Missing)(fail)
    refuse = mutation(RefusePayload, RefusedProblem)(fail)


@strawberry.type
class Query:
    nothing: int | None


@dataclass
class Context:
    """Counts how often the loads begin anew."""

    begun: int = 0

    async def read_anew(self) -> None:
        self.begun += 1


declare_codes([Mutation])
SCHEMA = strawberry.Schema(query=Query, mutation=Mutation, types=[UnnamedProblem])
bind_resolvers(SCHEMA)
FIELDS = """__typename ... on Problem { message code path }
    ... on RefusedTwiceProblem { times } ... on Missing { typeName }"""


async def execute(field: str, name: str, fields: str) -> ExecutionResult:
    response = await SCHEMA.execute(
        f"mutation ($input: WorkInput!) {{ {field}(input: $input) {{ {fields} }} }}",
        {"input": {"name": name, "partId": "7"}},
        Context(),
    )
    assert isinstance(response, ExecutionResult)
    return response


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("nothing", {"__typename": "WorkPayload"}),
        ("refused", {"__typename": "RefusedProblem", "message": "No.", "code": "REFUSED_PROBLEM", "path": None}),
        (
            "twice",
            {
                "__typename": "RefusedTwiceProblem",
                "message": "Refused twice.",
                "code": "REFUSED_TWICE_PROBLEM",
                "path": ["input", "name"],
                "times": 2,
            },
        ),
        (
            "for good",
            {
                "__typename": "RefusedTwiceProblem",
                "message": "Refused for good.",
                "code": "REFUSED_TWICE_PROBLEM",
                "path": ["input", "name"],
                "times": 3,
            },
        ),
        (
            "missing",
            {
                "__typename": "Missing",
                "message": "There is no such thing, or it is not yours.",
                "code": "MISSING",
                "path": ["input", "partId"],
                "typeName": "Part",
            },
        ),
    ],
)
async def test_a_failure_is_described_by_the_nearest_of_the_named_types(name: str, result: dict[str, Any]) -> None:
    response = await execute("work", name, FIELDS)
    assert (response.errors, response.data) == (None, {"work": result})


async def test_another_mutation_describes_the_same_failure_by_its_own_types() -> None:
    response = await execute("refuse", "twice", "__typename ... on Problem { message code }")
    assert response.errors is None
    assert response.data == {
        "refuse": {"__typename": "RefusedProblem", "message": "Refused twice.", "code": "REFUSED_PROBLEM"}
    }


async def test_a_failure_that_is_not_named_is_an_error() -> None:
    response = await execute("work", "unnamed", "__typename")
    assert response.errors is not None
    assert isinstance(response.errors[0].original_error, Unnamed)


def test_only_problem_types_are_named() -> None:
    with pytest.raises(AttributeError):
        mutation(WorkPayload, Refused)


def test_the_codes_are_those_of_the_problems_that_mutations_name() -> None:
    kind = SCHEMA._schema.type_map["ProblemCode"]
    assert isinstance(kind, GraphQLEnumType)
    assert {name: value.description for name, value in kind.values.items()} == {
        "MISSING": "There is no such part.",
        "REFUSED_PROBLEM": "It was refused.",
        "REFUSED_TWICE_PROBLEM": "It was refused more than once.",
    }


@pytest.mark.parametrize(
    ("name", "code"), [("NotFound", "NOT_FOUND"), ("HTTPFailed", "HTTP_FAILED"), ("Change24hLost", "CHANGE24H_LOST")]
)
def test_a_code_is_the_name_of_its_type(name: str, code: str) -> None:
    assert code_of(type(name, (), {})) == code

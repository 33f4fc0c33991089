"""Expected failures of a mutation as members of its union."""

from typing import Any

import pytest
import strawberry

from app.engine.declarations.problems import Problem, mutation, problem_type
from app.kit import errors


class Refused(errors.Problem):
    """Refused."""


class RefusedTwice(Refused):
    """Refused twice."""

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


@strawberry.type
class WorkPayload:
    done: bool


@strawberry.type
class RefusePayload:
    done: bool


FAILURES: dict[str, errors.Problem] = {
    "refused": Refused("No."),
    "twice": RefusedTwice(2),
    "for good": RefusedForGood(3),
    "unnamed": Unnamed(),
}


async def fail(name: str) -> Any:
    if name not in FAILURES:
        return WorkPayload(done=True)
    raise FAILURES[name]


@strawberry.type
class Mutation:
    work = mutation(WorkPayload, RefusedProblem, RefusedTwiceProblem)(fail)
    refuse = mutation(RefusePayload, RefusedProblem)(fail)


@strawberry.type
class Query:
    nothing: int | None


SCHEMA = strawberry.Schema(query=Query, mutation=Mutation, types=[UnnamedProblem])
FIELDS = "__typename ... on Problem { message } ... on RefusedTwiceProblem { times }"


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("nothing", {"__typename": "WorkPayload"}),
        ("refused", {"__typename": "RefusedProblem", "message": "No."}),
        ("twice", {"__typename": "RefusedTwiceProblem", "message": "Refused twice.", "times": 2}),
        ("for good", {"__typename": "RefusedTwiceProblem", "message": "Refused for good.", "times": 3}),
    ],
)
async def test_a_failure_is_described_by_the_nearest_of_the_named_types(name: str, result: dict[str, Any]) -> None:
    response = await SCHEMA.execute(f'mutation {{ work(name: "{name}") {{ {FIELDS} }} }}')
    assert (response.errors, response.data) == (None, {"work": result})


async def test_another_mutation_describes_the_same_failure_by_its_own_types() -> None:
    response = await SCHEMA.execute('mutation { refuse(name: "twice") { __typename ... on Problem { message } } }')
    assert response.errors is None
    assert response.data == {"refuse": {"__typename": "RefusedProblem", "message": "Refused twice."}}


async def test_a_failure_that_is_not_named_is_an_error() -> None:
    response = await SCHEMA.execute('mutation { work(name: "unnamed") { __typename } }')
    assert response.errors is not None
    assert isinstance(response.errors[0].original_error, Unnamed)


def test_only_problem_types_are_named() -> None:
    with pytest.raises(AttributeError):
        mutation(WorkPayload, Refused)

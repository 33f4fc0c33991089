"""What counts as a defect where a planned query ends in an exception."""

import pytest
from graphql import GraphQLError

from app.engine.execution.breadth_first import NullInNonNull, is_expected
from app.engine.execution.failures import refuse
from app.engine.execution.operations import ExecutionPath
from app.kit.errors import InvalidInput, NotFound
from tests.engine.support import Context, engine, prepare

DEFECT = GraphQLError("Enum 'Colour' cannot represent value: 'no colour'")


@pytest.mark.parametrize(
    ("query", "variables", "path", "codes"),
    [
        ("{ number }", None, ExecutionPath.BREADTH_FIRST, []),
        ("{ missing }", None, ExecutionPath.FELL_BACK, ["NOT_FOUND"]),
        ("{ refused }", None, ExecutionPath.FELL_BACK, ["NOT_FOUND"]),
        # An argument that is null because of a variable is the client's mistake, found when the query is planned.
        ("query($v: Int) { number(value: $v) }", {"v": None}, ExecutionPath.UNPLANNED, ["BAD_USER_INPUT"]),
        pytest.param("{ painted }", None, ExecutionPath.FAILED, ["INTERNAL"], marks=pytest.mark.plan_fails),
        pytest.param("{ absent }", None, ExecutionPath.FAILED, ["INTERNAL"], marks=pytest.mark.plan_fails),
        pytest.param("{ nameless { name } }", None, ExecutionPath.FAILED, ["INTERNAL"], marks=pytest.mark.plan_fails),
        pytest.param("{ boom }", None, ExecutionPath.FAILED, ["INTERNAL"], marks=pytest.mark.plan_fails),
        pytest.param("{ missing boom }", None, ExecutionPath.FELL_BACK, ["NOT_FOUND", "INTERNAL"]),
    ],
)
async def test_a_defect_is_counted_apart_from_what_is_expected(
    query: str, variables: dict[str, int | None] | None, path: ExecutionPath, codes: list[str]
) -> None:
    graph = engine()
    response = await graph.execute(prepare(graph, query, variables), Context())
    assert response.codes == codes
    assert graph.paths == {path: 1}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NotFound(object), True),
        (refuse(NotFound(object)), True),
        (GraphQLError("wrapped", original_error=refuse(NotFound(object))), True),
        (ExceptionGroup("", [NotFound(object), ExceptionGroup("", [InvalidInput("name", "Too short.")])]), True),
        (DEFECT, False),
        (GraphQLError("wrapped", original_error=DEFECT), False),
        (GraphQLError("wrapped", original_error=ValueError()), False),
        (ValueError(), False),
        (NullInNonNull("name"), False),
        (ExceptionGroup("", [NotFound(object), ExceptionGroup("", [DEFECT])]), False),
    ],
)
def test_problems_are_expected_and_nothing_else(error: Exception, expected: bool) -> None:
    assert is_expected(error) is expected

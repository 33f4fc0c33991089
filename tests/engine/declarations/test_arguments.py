"""Where in the arguments a problem comes from, in the names of the schema."""

from typing import Annotated, Any

import pytest
import strawberry
from graphql import GraphQLObjectType, parse
from graphql.execution.values import get_argument_values, get_variable_values
from graphql.language import FieldNode, OperationDefinitionNode
from strawberry.scalars import JSON

from app.engine.declarations.arguments import locate
from app.kit.errors import InvalidField, InvalidInput, NotFound, Path


@strawberry.input
class PriceInput:
    price_usd: int | None = None
    window: int | None = strawberry.field(default=None, name="windowMs")


@strawberry.input(one_of=True)
class ConditionInput:
    price_above: PriceInput | None = strawberry.UNSET
    price_below: PriceInput | None = strawberry.UNSET
    code: str | None = strawberry.UNSET


@strawberry.input
class PartInput:
    id: strawberry.ID | None = None
    full_name: str | None = None
    tag_names: list[str] | None = None


@strawberry.input
class WorkInput:
    condition: ConditionInput | None = None
    parts: list[PartInput] | None = None
    ids: list[strawberry.ID] | None = None
    value: JSON | None = None
    full_name: str | None = None


@strawberry.type
class Query:
    @strawberry.field
    def work(
        self,
        input: WorkInput | None = None,
        filter: PartInput | None = None,
        since: Annotated[int | None, strawberry.argument(name="from")] = None,
    ) -> int:
        return 0


SCHEMA = strawberry.Schema(Query)._schema
DOCUMENT = """query ($input: WorkInput, $filter: PartInput, $from: Int) {
  work(input: $input, filter: $filter, from: $from)
}"""


def located(problem: Any, arguments: dict[str, Any]) -> Any:
    """The problem, with the paths that it has after a call with these arguments."""
    (operation,) = parse(DOCUMENT).definitions
    assert isinstance(operation, OperationDefinitionNode)
    node = operation.selection_set.selections[0]
    assert isinstance(node, FieldNode)
    variables = get_variable_values(SCHEMA, operation.variable_definitions or (), arguments)
    assert not isinstance(variables, list), variables
    assert isinstance(SCHEMA.query_type, GraphQLObjectType)
    field = SCHEMA.query_type.fields["work"]
    locate(problem, field, get_argument_values(field, node, variables))
    return problem


ABOVE = {"input": {"condition": {"priceAbove": {"priceUsd": 1}}}}
PARTS = {"input": {"parts": [{"fullName": "a"}, {"tagNames": ["x", "y"]}]}}


@pytest.mark.parametrize(
    ("path", "arguments", "expected"),
    [
        (("full_name",), {"input": {}}, ("input", "fullName")),
        (("full_name",), {"filter": {}}, ("filter", "fullName")),
        (("full_name",), {"input": None, "filter": {}}, ("filter", "fullName")),
        (("since",), {}, ("from",)),
        (("from",), {}, ("from",)),
        (("input", "fullName"), {"input": {}}, ("input", "fullName")),
        (("condition",), ABOVE, ("input", "condition")),
        (("condition", "price_usd"), ABOVE, ("input", "condition", "priceAbove", "priceUsd")),
        (("condition", "window"), ABOVE, ("input", "condition", "priceAbove", "windowMs")),
        (("price_usd",), ABOVE, ("input", "condition", "priceAbove", "priceUsd")),
        (("condition", "code"), {"input": {"condition": {"code": "x"}}}, ("input", "condition", "code")),
        (("parts", "0", "full_name"), PARTS, ("input", "parts", "0", "fullName")),
        (("parts", "1", "tag_names", "1"), PARTS, ("input", "parts", "1", "tagNames", "1")),
        (("parts", "0", "full_name"), {"input": {"parts": {"fullName": "a"}}}, ("input", "parts", "0", "fullName")),
        (("value",), {"input": {"value": {"full_name": 1}}}, ("input", "value")),
        (("elsewhere",), ABOVE, None),
        (("parts", "0", "elsewhere"), PARTS, None),
    ],
)
def test_a_field_is_found_in_what_was_given(path: Path, arguments: dict[str, Any], expected: Path | None) -> None:
    assert located(InvalidInput(path, "Wrong."), arguments).path == expected


def test_every_field_of_a_problem_is_located_and_stays_there() -> None:
    problem = located(InvalidInput("since", "Early.", InvalidField(("parts", "1", "id"), "Unknown.")), PARTS)
    assert problem.fields == (
        InvalidField(("from",), "Early."),
        InvalidField(("input", "parts", "1", "id"), "Unknown."),
    )
    assert located(problem, PARTS).fields == problem.fields
    assert problem.path == ("from",)


@pytest.mark.parametrize(
    ("id", "arguments", "expected"),
    [
        (None, {"filter": {"id": "a"}}, ("filter", "id")),
        (None, {"input": {"ids": ["a"]}}, ("input", "ids", "0")),
        (None, {"input": {"ids": ["a", "b"]}}, None),
        ("b", {"input": {"ids": ["a", "b"]}}, ("input", "ids", "1")),
        ("c", {"input": {"parts": [{"id": "b"}, {}, {"id": "c"}]}}, ("input", "parts", "2", "id")),
        ("c", {"filter": {"id": "a"}}, None),
        (None, {"input": {"fullName": "a"}, "filter": {"id": None}}, None),
    ],
)
def test_what_is_not_found_is_the_id_that_was_given(
    id: str | None, arguments: dict[str, Any], expected: Path | None
) -> None:
    assert located(NotFound(str, id=id), arguments).path == expected


def test_a_path_of_its_own_is_kept() -> None:
    assert located(NotFound(str, path=("full_name",)), {"filter": {"id": "a"}}).path == ("filter", "fullName")

"""Enums of the domain in the graph."""

from enum import StrEnum
from typing import Any

import pytest
import strawberry

from app.engine.declarations.descriptions import describe
from app.schema.enums import declare_enum

SDL = '''"""How a door stands. Open doors let everybody in."""
enum DoorState {
  """Closed."""
  SHUT

  """Wide open."""
  OPEN
}
'''


class State(StrEnum):
    """How a door stands.
    Open doors let everybody in.
    """

    OPEN = "open"
    SHUT = "shut"


def _stored() -> Any:
    return "shut"


def _schema() -> strawberry.Schema:
    @strawberry.type
    class Query:
        stored: State = strawberry.field(resolver=_stored)

        @strawberry.field
        def opposite(self, state: State) -> State:
            return State.OPEN if state is State.SHUT else State.SHUT

    schema = strawberry.Schema(query=Query)
    describe(schema)
    return schema


declare_enum(State, name="DoorState", SHUT="Closed.", OPEN="Wide open.")


async def test_members_and_stored_values_are_sent_and_members_are_received() -> None:
    result = await _schema().execute("{ stored opposite(state: SHUT) }")
    assert result.errors is None
    assert result.data == {"stored": "SHUT", "opposite": "OPEN"}


def test_the_docstring_describes_the_enum_and_the_values_are_described_in_the_declared_order() -> None:
    assert SDL in _schema().as_str()


def test_a_description_stands_before_the_docstring() -> None:
    class Lamp(StrEnum):
        """What maintainers know."""

        ON = "on"

    declare_enum(Lamp, description="What clients must know.", ON="It shines.")

    @strawberry.type
    class Query:
        lamp: Lamp

    schema = strawberry.Schema(query=Query)
    describe(schema)
    assert schema._schema.type_map["Lamp"].description == "What clients must know."


def test_an_enum_is_declared_before_it_is_used() -> None:
    class Late(StrEnum):
        ON = "on"

    @strawberry.type
    class Query:
        late: Late

    strawberry.Schema(query=Query)
    with pytest.raises(ValueError, match="in the graph already"):
        declare_enum(Late, ON="Too late.")


@pytest.mark.parametrize("values", [{"OPEN": "Wide open."}, {"OPEN": "x", "SHUT": "y", "AJAR": "z"}])
def test_each_member_is_described_and_nothing_else(values: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="other members"):
        declare_enum(State, **values)

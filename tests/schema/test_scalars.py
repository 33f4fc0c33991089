"""Numbers in text are ASCII: other digits look like a number to Python, and like something else to a reader."""

import pytest
from graphql import GraphQLScalarType

from tests.schema.ledger.graph import SCHEMA


@pytest.mark.parametrize(("kind", "text"), [("Decimal", "٣"), ("Decimal", "1.٣"), ("BigInt", "٣")])
def test_digits_of_other_scripts_are_no_numbers(kind: str, text: str) -> None:
    scalar = SCHEMA._schema.type_map[kind]
    assert isinstance(scalar, GraphQLScalarType)
    assert scalar.coerce_input_value("3") == 3
    with pytest.raises(ValueError, match=f"A {kind} is"):
        scalar.coerce_input_value(text)

"""Scalars take what they are specified to take: ASCII digits, and whole numbers of milliseconds."""

from typing import Any

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


@pytest.mark.parametrize("value", [0, 1000, 2**53 - 1, 1000.0])
def test_milliseconds_are_whole_numbers(value: Any) -> None:
    scalar = SCHEMA._schema.type_map["Milliseconds"]
    assert isinstance(scalar, GraphQLScalarType)
    taken = scalar.coerce_input_value(value)
    assert (taken, type(taken)) == (value, int)


@pytest.mark.parametrize("value", [-1, 2**53, 0.5, float("inf"), float("nan"), True, "1000", None])
def test_nothing_else_is_milliseconds(value: Any) -> None:
    scalar = SCHEMA._schema.type_map["Milliseconds"]
    assert isinstance(scalar, GraphQLScalarType)
    with pytest.raises(ValueError, match="Milliseconds are a whole JSON number"):
        scalar.coerce_input_value(value)


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "0001-01-01T01:00:00+01:00"])
def test_what_the_database_takes_for_infinity_is_no_time(value: str) -> None:
    scalar = SCHEMA._schema.type_map["DateTime"]
    assert isinstance(scalar, GraphQLScalarType)
    with pytest.raises(ValueError, match="out of range"):
        scalar.coerce_input_value(value)
    assert scalar.coerce_input_value("9999-12-31T23:59:59Z").year == 9999

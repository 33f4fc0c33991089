"""Where a schema says something: fields, input fields and arguments, each with its coordinate."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
)

NUMBERS: Final = {"Int", "Float", "Decimal", "BigInt"}


class Site(NamedTuple):
    """A field, an input field or an argument."""

    coordinate: str
    owner: GraphQLNamedType
    """The type that has it, or whose field has it."""
    name: str
    definition: GraphQLField | GraphQLInputField | GraphQLArgument

    @property
    def has_default(self) -> bool:
        """Whether it has a default value, null included."""
        # A schema from code has the one, a schema from SDL the other.
        return not isinstance(self.definition, GraphQLField) and (
            self.definition.default_value is not Undefined or self.definition.default is not None
        )

    @property
    def kind(self) -> str:
        """The name of its type, without lists and non-null."""
        return get_named_type(self.definition.type).name

    @property
    def description(self) -> str:
        """The description on one line."""
        return " ".join((self.definition.description or "").split())


def own_types(schema: GraphQLSchema) -> list[GraphQLNamedType]:
    """The types that the schema declares itself."""
    return [
        kind
        for kind in schema.type_map.values()
        if not is_introspection_type(kind) and not is_specified_scalar_type(kind)
    ]


def fields(schema: GraphQLSchema) -> Iterator[Site]:
    """The fields of objects and interfaces."""
    for kind in own_types(schema):
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in kind.fields.items():
                yield Site(f"{kind.name}.{name}", kind, name, field)


def given(schema: GraphQLSchema) -> Iterator[Site]:
    """What clients give: arguments, and the fields of inputs."""
    for site in fields(schema):
        assert isinstance(site.definition, GraphQLField)
        for name, argument in site.definition.args.items():
            yield Site(f"{site.coordinate}({name}:)", site.owner, name, argument)
    for kind in own_types(schema):
        if isinstance(kind, GraphQLInputObjectType):
            for name, field in kind.fields.items():
                yield Site(f"{kind.name}.{name}", kind, name, field)


def everything(schema: GraphQLSchema) -> Iterator[Site]:
    """All sites."""
    yield from fields(schema)
    yield from given(schema)


def is_order_by(kind: GraphQLNamedType) -> bool:
    """Whether it chooses the order of a list. The lookup of an Order is called OrderBy."""
    return kind.name.endswith("OrderBy") and kind.name != "OrderBy"


def words(name: str) -> list[str]:
    """The words of a name in lower case: `priceUsd` has two. A number begins a word: `volume24hUsd` has three."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+[a-z]*", name)]

"""Shapes: mutations, lookups, deletions, connections, descriptions and scalars."""

import re
from typing import Final

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
)

from tests.schema.conventions.sites import everything, given, is_order_by, own_types

ENDINGS: Final = ("delete", "remove", "revoke", "close")
"""The first words of mutations after which an object is no more."""
CONNECTION: Final = {"edges": "[{0}Edge!]!", "nodes": "[{0}!]!", "pageInfo": "PageInfo!", "totalCount": "TotalCount!"}


NAMED_BY_THE_REQUEST = {"tenant"}
"""What a root finds by what the request says of itself."""


def mutations(schema: GraphQLSchema) -> list[str]:
    """A mutation `doThing` has one argument `input: DoThingInput!`, or none. It returns `DoThingResult!`, a union whose
    first member is `DoThingPayload`; the others are problems.
    """
    found = []
    for name, field in schema.mutation_type.fields.items() if schema.mutation_type else ():
        noun = name[0].upper() + name[1:]
        arguments = {key: str(argument.type) for key, argument in field.args.items()}
        result = get_named_type(field.type)
        problems = schema.type_map.get("Problem")
        if (
            arguments not in ({}, {"input": f"{noun}Input!"})
            or str(field.type) != f"{noun}Result!"
            or not isinstance(result, GraphQLUnionType)
            or result.types[0].name != f"{noun}Payload"
            or any(problems not in member.interfaces for member in result.types[1:])
        ):
            found.append(f"Mutation.{name}")
    return found


def lookups(schema: GraphQLSchema) -> list[str]:
    """A root that finds one object of a type takes `by: ThingBy!`, a `@oneOf` input, even if there is one key today;
    only `node` takes an `id`. Every `...By` but a `...OrderBy` is such an input, and nothing else is called `by`.
    """
    node, found = schema.type_map.get("Node"), []
    for name, field in schema.query_type.fields.items() if schema.query_type else ():
        if name in NAMED_BY_THE_REQUEST:
            continue
        kind = get_nullable_type(field.type)
        if isinstance(kind, GraphQLObjectType) and node in kind.interfaces:
            arguments = {key: str(argument.type) for key, argument in field.args.items()}
            if arguments != {"by": f"{name[0].upper()}{name[1:]}By!"}:
                found.append(f"Query.{name}")
    for site in given(schema):
        kind = get_named_type(site.definition.type)
        if (site.name == "by") is not (_is_lookup(kind)):
            found.append(site.coordinate)
    found += [
        kind.name
        for kind in own_types(schema)
        if isinstance(kind, GraphQLInputObjectType) and _is_lookup(kind) and not kind.is_one_of
    ]
    return found


def _is_lookup(kind: GraphQLNamedType) -> bool:
    is_named_so = kind.name.endswith("By") and not is_order_by(kind)
    return isinstance(kind, GraphQLInputObjectType) and is_named_so


def deletions(schema: GraphQLSchema) -> list[str]:
    """The payload of a deletion has `deletedId`, and no payload has another ID of its own."""
    found = []
    for name in schema.mutation_type.fields if schema.mutation_type else ():
        payload = schema.type_map.get(f"{name[0].upper()}{name[1:]}Payload")
        shown = payload.fields if isinstance(payload, GraphQLObjectType) else {}
        if name.startswith(ENDINGS) and str(getattr(shown.get("deletedId"), "type", "")) != "ID!":
            found.append(f"Mutation.{name}")
        found += [
            f"{payload}.{field}"
            for field, definition in shown.items()
            if get_named_type(definition.type).name == "ID" and field not in {"deletedId", "deletedIds"}
        ]
    return found


def connections(schema: GraphQLSchema) -> list[str]:
    """`ThingConnection` has edges of `ThingEdge`, nodes of `Thing`, a page and a count; whatever has edges is one."""
    found = []
    for kind in own_types(schema):
        if not isinstance(kind, GraphQLObjectType):
            continue
        if "edges" in kind.fields or kind.name.endswith("Connection"):
            noun = kind.name.removesuffix("Connection")
            shape = {name: str(kind.fields[name].type) for name in CONNECTION if name in kind.fields}
            if noun == kind.name or shape != {name: text.format(noun) for name, text in CONNECTION.items()}:
                found.append(kind.name)
        if kind.name.endswith("Edge"):
            noun = kind.name.removesuffix("Edge")
            if {name: str(field.type) for name, field in kind.fields.items()} != {
                "cursor": "Cursor!",
                "node": f"{noun}!",
            }:
                found.append(kind.name)
    return found


def described(schema: GraphQLSchema) -> list[str]:
    """The schema, each type, each value of an enum, each field and whatever clients give is described."""
    found = ["schema"] if not schema.description else []
    found += [kind.name for kind in own_types(schema) if not kind.description]
    found += [site.coordinate for site in everything(schema) if not site.description]
    for kind in own_types(schema):
        if isinstance(kind, GraphQLEnumType):
            found += [f"{kind.name}.{name}" for name, value in kind.values.items() if not value.description]
    return found


def specified_scalars(schema: GraphQLSchema) -> list[str]:
    """Each scalar of ours says where its form is specified."""
    return [
        kind.name
        for kind in own_types(schema)
        if isinstance(kind, GraphQLScalarType) and not re.match(r"https://|/docs/", kind.specified_by_url or "")
    ]

"""Descriptions in the schema: a declaration without one is described by its docstring."""

import inspect
from typing import Any, Final

import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
)
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.field import StrawberryField

_INPUT: Final = GraphQLInputObjectType
_DEFINITION: Final = "strawberry-definition"


def described(declaration: Any) -> str | None:
    """Returns the docstring of a class or function with each paragraph on one line; None if it has none."""
    doc = declaration.__doc__
    # A dataclass without a docstring is given its signature for one.
    if doc is None or doc.startswith(f"{declaration.__name__}("):
        return None
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in inspect.cleandoc(doc).split("\n\n"))


def describe(schema: strawberry.Schema) -> None:
    """Gives each type, and each field with a resolver, that has no description the docstring of its declaration.

    An argument that is an input object, and has no description, has that of its type.
    """
    for kind in schema._schema.type_map.values():
        if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType | GraphQLEnumType):
            continue
        if kind.description is None:
            kind.description = _of_type(kind.extensions.get(_DEFINITION))
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for field in kind.fields.values():
                if field.description is None:
                    field.description = _of_field(field.extensions.get(_DEFINITION))
                for argument in field.args.values():
                    if argument.description is None and isinstance(given := get_named_type(argument.type), _INPUT):
                        argument.description = given.description or _of_type(given.extensions.get(_DEFINITION))


def _of_type(definition: Any) -> str | None:
    match definition:
        case StrawberryObjectDefinition():
            return described((definition.concrete_of or definition).origin)
        case StrawberryEnumDefinition():
            return described(definition.wrapped_cls)
    return None


def _of_field(definition: Any) -> str | None:
    if not isinstance(definition, StrawberryField) or definition.base_resolver is None:
        return None
    return described(definition.base_resolver.wrapped_func)

"""Bindings: what a field needs at run time, without Strawberry's general resolvers.

Strawberry builds an `Info` and converts arguments in every call of every resolver. A column needs one attribute of its
parent, a relation one key and a loader, a function of the parent nothing else. The schema is given a bare function for
these, and the binding, which the executor plans with. Every other field (with arguments of its own, or an injected
`Info`) keeps Strawberry's resolver.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from operator import attrgetter
from typing import Any

import msgspec
import strawberry
from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType, GraphQLResolveInfo
from strawberry.execution import optimized_is_awaitable
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from app.engine.declarations.computed import FROM_PARENT, ParentFunction
from app.engine.declarations.relations import Relation, selects
from app.kit.loaders import One

Resolver = Callable[..., Any]
BINDING = "moneta-binding"
"""Where a GraphQL field keeps its Binding."""


class Column(msgspec.Struct, frozen=True):
    """An attribute of the parent."""

    name: str


Binding = Column | ParentFunction | Relation


def bind_resolvers(schema: strawberry.Schema) -> None:
    """Replaces the resolver of each field that has a binding by a bare function. Idempotent."""
    for kind in schema._schema.type_map.values():
        if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            continue
        for field in kind.fields.values():
            binding = _binding(schema, field)
            if binding is not None:
                field.extensions[BINDING] = binding
                field.resolve = _resolver(binding)
    if (mutations := schema._schema.mutation_type) is not None:
        for field in mutations.fields.values():
            if field.resolve is not None:
                field.resolve = _in_turn(field.resolve)


def binding_of(field: GraphQLField) -> Binding | None:
    """How the field is resolved; None if only its resolver knows."""
    return field.extensions.get(BINDING)


def _binding(schema: strawberry.Schema, field: GraphQLField) -> Binding | None:
    definition = field.extensions.get("strawberry-definition")
    if not isinstance(definition, StrawberryField) or definition.extensions or field.subscribe is not None:
        return None
    if (relation := definition.metadata.get("relation")) is not None:
        assert isinstance(relation, Relation)
        return _with_conversion(schema, definition, relation) if relation.has_inputs else relation
    if definition.base_resolver is None:
        return Column(definition.python_name)
    declared = definition.metadata.get(FROM_PARENT)
    return declared if isinstance(declared, ParentFunction) else None


def _with_conversion(schema: strawberry.Schema, definition: StrawberryField, relation: Relation) -> Relation:
    convert = partial(
        convert_arguments,
        arguments=definition.arguments,
        scalar_registry=schema.schema_converter.scalar_registry,
        config=schema.config,
    )
    return msgspec.structs.replace(relation, convert=convert)


def _resolver(binding: Binding) -> Resolver:
    match binding:
        case Column(name):
            return lambda source, info: getattr(source, name)
        case ParentFunction(function):
            return lambda source, info: function(source)
        case Relation():
            return _follow(binding)


def _in_turn(resolve: Resolver) -> Resolver:
    """The resolver of a mutation's field, with loads of its own.

    The loads of the field before it may hold a connection, which this one needs. What this one reads must include what
    it has written.
    """

    async def resolve_in_turn(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        await info.context.read_anew()
        value = resolve(source, info, **arguments)
        return await value if optimized_is_awaitable(value) else value

    return resolve_in_turn


def _follow(relation: Relation) -> Resolver:
    key_of = (lambda source: None) if relation.key is None else attrgetter(relation.key)
    is_one = isinstance(relation.loader, One)

    def follow(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        key = key_of(source)
        if (key is None and is_one) or not relation.is_allowed(info.context, source):
            return None
        load, make, _ = relation.follow(info.context, arguments, partial(selects, info))
        return load(key) if make is None else _made(load(key), partial(make, key))

    return follow


async def _made(loaded: Awaitable[Any], make: Callable[[Any], Any]) -> Any:
    return make(await loaded)

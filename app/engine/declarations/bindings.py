"""Bindings: what a field needs at run time, without Strawberry's general resolvers.

Strawberry builds an `Info` and converts arguments in every call of every resolver. A column needs one attribute of its
parent, a relation one key and a loader, a function of the parent nothing else. The schema is given a bare function for
these, and the binding, which the executor plans with. Every other field (with arguments of its own, or an injected
`Info`) keeps Strawberry's resolver.
"""

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from operator import attrgetter
from typing import Any

import msgspec
import strawberry
from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType, GraphQLResolveInfo
from strawberry.execution import optimized_is_awaitable
from strawberry.types import get_object_definition
from strawberry.types.arguments import convert_arguments
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from app.engine.declarations.arguments import locate
from app.engine.declarations.computed import FROM_PARENT, ParentFunction
from app.engine.declarations.lookups import LOOKUP, Lookup
from app.engine.declarations.nodes import record_of
from app.engine.declarations.problems import Kinds, description_of, problems_of
from app.engine.declarations.relations import Relation, selects
from app.kit.errors import Problem
from app.kit.loaders import One

Resolver = Callable[..., Any]
BINDING = "moneta-binding"
"""Where a GraphQL field keeps its Binding."""


class Column(msgspec.Struct, frozen=True):
    """An attribute of the parent."""

    name: str


Binding = Column | ParentFunction | Relation | Lookup


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
            if field.args and field.subscribe is not None:
                field.subscribe = _locating(field, field.subscribe)
            elif field.args and field.resolve is not None:
                field.resolve = _locating(field, field.resolve)
    if (mutations := schema._schema.mutation_type) is not None:
        type_name = _type_names(schema)
        for field in mutations.fields.values():
            if field.resolve is not None:
                field.resolve = _in_turn(field.resolve, problems_of(field), type_name)


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
    if (lookup := definition.metadata.get(LOOKUP)) is not None:
        assert isinstance(lookup, Lookup)
        return _with_schema_names(schema, definition, lookup)
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


def _with_schema_names(schema: strawberry.Schema, definition: StrawberryField, lookup: Lookup) -> Lookup:
    ((by, *_),) = (definition.arguments,)
    name = schema.config.name_converter.get_graphql_name
    fields = get_object_definition(by.type, strict=True).fields
    return Lookup({name(field): lookup.keys[field.python_name] for field in fields})


def _resolver(binding: Binding) -> Resolver:
    match binding:
        case Column(name):
            return lambda source, info: getattr(source, name)
        case ParentFunction(function):
            return lambda source, info: function(source)
        case Relation():
            return _follow(binding)
        case Lookup():
            return lambda source, info, by: binding.find(info.context, by)


def _type_names(schema: strawberry.Schema) -> Callable[[type], str]:
    """Names the type of the graph that a Strawberry type or a record stands for."""
    names: dict[type, str] = {}
    for kind in schema._schema.type_map.values():
        definition = kind.extensions.get("strawberry-definition")
        if isinstance(kind, GraphQLObjectType) and isinstance(definition, StrawberryObjectDefinition):
            names[definition.origin] = kind.name
            if (record := record_of(definition.origin)) is not None:
                names[record] = kind.name
    return names.__getitem__


def _locating(field: GraphQLField, resolve: Resolver) -> Resolver:
    """The resolver of a field with arguments: the paths of its problems are those of the schema."""

    async def resolve_later(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        try:
            return await resolve(source, info, **arguments)
        except Problem as problem:
            locate(problem, field, arguments)
            raise

    def resolve_at_once(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        # What it returns may be a load, which is not about an argument.
        try:
            return resolve(source, info, **arguments)
        except Problem as problem:
            locate(problem, field, arguments)
            raise

    return resolve_later if inspect.iscoroutinefunction(resolve) else resolve_at_once


def _in_turn(resolve: Resolver, kinds: Kinds, type_name: Callable[[type], str]) -> Resolver:
    """The resolver of a mutation's field, with loads of its own, which returns the expected failures as data.

    The loads of the field before it may hold a connection, which this one needs. What this one reads must include what
    it has written.
    """

    async def resolve_in_turn(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        await info.context.read_anew()
        try:
            value = resolve(source, info, **arguments)
            return await value if optimized_is_awaitable(value) else value
        except tuple(kinds) as problem:
            return description_of(problem, kinds, type_name)

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

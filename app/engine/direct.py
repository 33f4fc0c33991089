"""Direct resolvers: what a field needs at run time, without Strawberry's general machinery around it.

Strawberry builds an `Info` and converts arguments for every call of every resolver. A column needs one attribute, a
relation one key and a loader, a plain resolver only its parent; for these the schema is given the bare function, and
beside it the way it goes, for the executor to plan with. Everything else (arguments of our own, injected info) keeps
Strawberry's path.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import strawberry
from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType, GraphQLResolveInfo
from strawberry.execution import optimized_is_awaitable
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from app.engine.pages import page_of
from app.engine.relations import STREAM_CURSOR, Relation, selects
from app.kit.loaders import Many, One, Page

Resolver = Callable[..., Any]
WAY = "moneta-way"
"""Where a GraphQL field keeps its Way."""


class Column(msgspec.Struct, frozen=True):
    """An attribute of the parent."""

    name: str


class OfParent(msgspec.Struct, frozen=True, eq=False):
    """A function of the parent alone; what it returns may have to be awaited."""

    function: Callable[[Any], Any]


Way = Column | OfParent | Relation


def resolve_directly(schema: strawberry.Schema) -> None:
    """Shortens the way to every field where that is possible."""
    for kind in schema._schema.type_map.values():
        if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            continue
        for field in kind.fields.values():
            way = _way(schema, field)
            if way is not None:
                field.extensions[WAY] = way
                field.resolve = _resolver(way)
    if (mutations := schema._schema.mutation_type) is not None:
        for field in mutations.fields.values():
            if field.resolve is not None:
                field.resolve = _in_turn(field.resolve)


def way_of(field: GraphQLField) -> Way | None:
    """How the field is resolved, where that is known; None: by a resolver that may do anything."""
    return field.extensions.get(WAY)


def _way(schema: strawberry.Schema, field: GraphQLField) -> Way | None:
    definition = field.extensions.get("strawberry-definition")
    if not isinstance(definition, StrawberryField) or definition.extensions or field.subscribe is not None:
        return None
    if (relation := definition.metadata.get("relation")) is not None:
        assert isinstance(relation, Relation)
        return relation if relation.filtering is None else _with_conversion(schema, definition, relation)
    if definition.base_resolver is None:
        return Column(definition.python_name)
    function: Any = definition.base_resolver.wrapped_func
    if list(definition.base_resolver.signature.parameters) == ["root"]:
        return OfParent(function)
    return None


def _with_conversion(schema: strawberry.Schema, definition: StrawberryField, relation: Relation) -> Relation:
    convert = partial(
        convert_arguments,
        arguments=definition.arguments,
        scalar_registry=schema.schema_converter.scalar_registry,
        config=schema.config,
    )
    return msgspec.structs.replace(relation, convert=convert)


def _resolver(way: Way) -> Resolver:
    match way:
        case Column(name):
            return lambda source, info: getattr(source, name)
        case OfParent(function):
            return lambda source, info: function(source)
        case Relation():
            return _follow(way)


def _in_turn(resolve: Resolver) -> Resolver:
    """A mutation's field, which comes after what the one before it returned was read.

    It needs the connection that those reads may hold, and what it reads itself shows what it has written.
    """

    async def resolve_in_turn(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        await info.context.read_anew()
        value = resolve(source, info, **arguments)
        return await value if optimized_is_awaitable(value) else value

    return resolve_in_turn


def _follow(relation: Relation) -> Resolver:
    loader, key = relation.loader, relation.key

    def one(source: Any, info: GraphQLResolveInfo[Any]) -> Any:
        value = getattr(source, key or "")
        return None if value is None else info.context.reads.one(loader, value)

    def many(source: Any, info: GraphQLResolveInfo[Any]) -> Any:
        return info.context.reads.many(loader, getattr(source, key or ""))

    def page(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        assert isinstance(loader, Page)
        request = relation.request(info.context.cursors, arguments)
        value = getattr(source, key) if key else None
        stream = relation.stream(value) if relation.stream and selects(info, STREAM_CURSOR) else None
        return page_of(info.context, loader, value, request, stream)

    match loader:
        case One():
            return one
        case Many():
            return many
        case Page():
            return page

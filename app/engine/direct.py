"""Direct resolvers: what a field needs at run time, without Strawberry's general machinery around it.

Strawberry builds an `Info` and converts arguments for every call of every resolver. A column needs one attribute, a
relation one key and a loader, a plain resolver only its parent; for these the schema is given the bare function.
Everything else (arguments of our own, injected info) keeps Strawberry's path.
"""

import inspect
from collections.abc import Callable
from typing import Any

import strawberry
from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType, GraphQLResolveInfo
from strawberry.types.field import StrawberryField

from app.engine.pages import page_of
from app.engine.relations import Relation, page_request
from app.kit.loading import Many, One, Page

Resolver = Callable[..., Any]


def resolve_directly(schema: strawberry.Schema) -> int:
    """Shortens the way to every field where that is possible; returns for how many it was."""
    shortened = 0
    for kind in schema._schema.type_map.values():
        if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            continue
        for field in kind.fields.values():
            if (resolver := _direct(field)) is not None:
                field.resolve = resolver
                shortened += 1
    return shortened


def _direct(field: GraphQLField) -> Resolver | None:
    definition = field.extensions.get("strawberry-definition")
    if not isinstance(definition, StrawberryField) or definition.extensions or field.subscribe is not None:
        return None
    if (relation := definition.metadata.get("relation")) is not None:
        return _follow(relation)
    if definition.base_resolver is None:
        return _column(definition.python_name)
    if list(definition.base_resolver.signature.parameters) == ["root"]:
        return _of_parent(definition.base_resolver.wrapped_func)
    return None


def _column(name: str) -> Resolver:
    def resolve(source: Any, info: GraphQLResolveInfo[Any]) -> Any:
        return getattr(source, name)

    return resolve


def _of_parent(function: Any) -> Resolver:
    if inspect.iscoroutinefunction(function):

        async def resolve_later(source: Any, info: GraphQLResolveInfo[Any]) -> Any:
            return await function(source)

        return resolve_later

    def resolve(source: Any, info: GraphQLResolveInfo[Any]) -> Any:
        return function(source)

    return resolve


def _follow(relation: Relation) -> Resolver:
    loader, key = relation.loader, relation.key

    def one(source: Any, info: GraphQLResolveInfo[Any]) -> Any:
        value = getattr(source, key or "")
        return None if value is None else info.context.reads.one(loader, value)

    def many(source: Any, info: GraphQLResolveInfo[Any]) -> Any:
        return info.context.reads.many(loader, getattr(source, key or ""))

    def page(source: Any, info: GraphQLResolveInfo[Any], first: int, after: str | None = None) -> Any:
        assert isinstance(loader, Page)
        request = page_request(loader, first, after)
        return page_of(info.context.reads, loader, getattr(source, key) if key else None, request)

    match loader:
        case One():
            return one
        case Many():
            return many
        case Page():
            return page

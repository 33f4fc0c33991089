"""Where in a field's arguments a problem comes from: from the names that a service uses to those of the schema.

A service names an input field as the Python class of the input does, and knows neither the argument that the input is
nor which member of a `@oneOf` was given. Both are found here, in what the client sent. What knows the schema may use
its names as well.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    get_nullable_type,
)

from app.kit.errors import NotFound, Path, Problem

Members = Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField]


def locate(problem: Problem, field: GraphQLField, given: Mapping[str, Any]) -> None:
    """Converts a problem's paths to the names of the schema. Idempotent.

    `given` are the arguments as graphql-core coerced them.
    """
    problem.move(lambda path: _find(field.args, given, path))
    if problem.path is None and problem.concerns_id:
        wanted = problem.id if isinstance(problem, NotFound) else None
        ids = [path for path, value in _ids(field.args, given) if wanted in (None, value)]
        # One of several might be any of them.
        problem.path = ids[0] if ids and (wanted is not None or len(ids) == 1) else None


def names_of(member: GraphQLArgument | GraphQLInputField) -> set[str]:
    """The names by which services know an argument or an input field."""
    return {member.extensions["strawberry-definition"].python_name}


def _find(members: Members, given: Mapping[str, Any], path: Path) -> Path | None:
    """The path below these members or, if its field is none of them, below the objects that were given."""
    if not path:
        return ()
    first, *rest = path
    for name, member in members.items():
        if first == name or first in names_of(member):
            below = _below(member.type, given.get(name), tuple(rest))
            return None if below is None else (name, *below)
    for name, member in members.items():
        kind, value = get_nullable_type(member.type), given.get(name)
        if isinstance(kind, GraphQLInputObjectType) and isinstance(value, Mapping):
            below = _find(kind.fields, value, path)
            if below is not None:
                return name, *below
    return None


def _below(kind: GraphQLInputType, given: Any, path: Path) -> Path | None:
    if not path:
        return ()
    bare = get_nullable_type(kind)
    if isinstance(bare, GraphQLList):
        position, *rest = path
        below = _below(bare.of_type, given[int(position)], tuple(rest))
        return None if below is None else (position, *below)
    return _find(bare.fields, given or {}, path) if isinstance(bare, GraphQLInputObjectType) else None


def _ids(members: Members, given: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    for name, member in members.items():
        if name in given:
            yield from (((name, *path), value) for path, value in _ids_in(member.type, given[name]))


def _ids_in(kind: GraphQLInputType, given: Any) -> Iterator[tuple[Path, str]]:
    bare = get_nullable_type(kind)
    if given is None:
        return
    if isinstance(bare, GraphQLList):
        for position, item in enumerate(given):
            yield from (((str(position), *path), value) for path, value in _ids_in(bare.of_type, item))
    elif isinstance(bare, GraphQLInputObjectType):
        yield from _ids(bare.fields, given)
    elif bare is GraphQLID:
        yield (), given

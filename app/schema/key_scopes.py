"""What API keys may read and change: declared by each house for its modules, types and mutations, and applied here.

A declaration names a module of the house (`orders.books`, with all below it), a type or a mutation; what is more
precise goes first, and `*` is all the rest. It says PUBLIC, NEVER, or the noun of a scope: a type then needs
`<noun>:read`, a mutation `<noun>:write`. Pages of a list need what its items need. Payloads and problems need nothing
but the scope of their mutation. What is declared nowhere is for no key.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
)

from app.domains.tenancy.api_keys.model import NOUNS
from app.engine.declarations.key_scopes import NEVER, PUBLIC, declare_key_scope, declared_key_scope

REST: Final = "*"
OWN: Final = {"root": PUBLIC, "limits": PUBLIC, "viewer": NEVER}
"""Of the modules that belong to no house."""
_PACKAGE: Final = "app.schema."
_ENGINE: Final = "app.engine."
_CHECKED_WHEN_FOUND: Final = "Node"
"""An object of an interface with objects of all kinds: `node(id)` finds none that the key may not read."""


def declare_key_scopes(schema: GraphQLSchema, houses: Mapping[str, Mapping[str, str]]) -> None:
    """Applies what the houses declare. Raises ValueError for what is no noun, and for what is declared of nothing."""
    for house, declared in houses.items():
        for name, scope in declared.items():
            if scope not in {PUBLIC, NEVER, *NOUNS} or (name == REST and scope != NEVER):
                raise ValueError(f"key_scopes of {house}: {name} cannot be {scope}")
    used: set[tuple[str, str]] = set()
    _declare_mutations(schema, houses, used)
    _declare_types(schema, houses, used)
    for house, declared in houses.items():
        if unused := [name for name in declared if (house, name) not in used]:
            raise ValueError(f"key_scopes of {house}: there is no {', '.join(unused)}")


def _declare_mutations(
    schema: GraphQLSchema, houses: Mapping[str, Mapping[str, str]], used: set[tuple[str, str]]
) -> None:
    for name, field in _mutations(schema).items():
        scope = _declared(houses, name, _module_of(field), used)
        if scope == PUBLIC:
            raise ValueError(f"The mutation {name} cannot be public to keys")
        if scope is not None:
            declare_key_scope(field, scope if scope == NEVER else f"{scope}:write")


def _declare_types(schema: GraphQLSchema, houses: Mapping[str, Mapping[str, str]], used: set[tuple[str, str]]) -> None:
    kinds = [kind for kind in schema.type_map.values() if isinstance(kind, GraphQLObjectType)]
    payloads = set(_payloads(schema))
    for kind in kinds:
        scope = _declared(houses, kind.name, _module_of(kind), used)
        if kind.name in payloads or _is_root(schema, kind) or _is_problem(kind):
            scope = PUBLIC
        if scope is not None:
            declare_key_scope(kind, scope if scope in {PUBLIC, NEVER} else f"{scope}:read")
    for kind in kinds:
        if (of := _listed_by(kind)) is not None and (listed := declared_key_scope(of)) is not None:
            declare_key_scope(kind, listed)
    if isinstance(node := schema.type_map.get(_CHECKED_WHEN_FOUND), GraphQLInterfaceType):
        declare_key_scope(node, PUBLIC)


def undeclared(schema: GraphQLSchema) -> list[str]:
    """The types and mutations of which nothing was declared."""
    kinds = [kind for kind in schema.type_map.values() if isinstance(kind, GraphQLObjectType)]
    fields = _mutations(schema)
    missing = [kind.name for kind in kinds if declared_key_scope(kind) is None and not kind.name.startswith("__")]
    return missing + [name for name, field in fields.items() if declared_key_scope(field) is None]


def _declared(
    houses: Mapping[str, Mapping[str, str]], name: str, module: str, used: set[tuple[str, str]]
) -> str | None:
    """What is declared of a type or mutation: by its name, otherwise by its module. Notes which declaration that is."""
    if module.startswith(_ENGINE):
        return PUBLIC
    house, _, rest = module.removeprefix(_PACKAGE).partition(".")
    if house in OWN:
        return OWN[house]
    declared = houses.get(house, {})
    parts = rest.split(".")
    modules = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    for each in (name, *modules, REST):
        if each in declared:
            used.add((house, each))
            return declared[each]
    return None


def _module_of(declared: GraphQLNamedType | GraphQLField) -> str:
    definition: Any = declared.extensions.get("strawberry-definition")
    if isinstance(declared, GraphQLField):
        return str(definition.base_resolver.wrapped_func.__module__)
    return "" if definition is None else str(definition.origin.__module__)


def _mutations(schema: GraphQLSchema) -> Mapping[str, GraphQLField]:
    return schema.mutation_type.fields if schema.mutation_type else {}


def _payloads(schema: GraphQLSchema) -> Iterator[str]:
    for field in _mutations(schema).values():
        result = get_named_type(field.type)
        for each in result.types if isinstance(result, GraphQLUnionType) else [result]:
            yield each.name


def _is_root(schema: GraphQLSchema, kind: GraphQLObjectType) -> bool:
    return kind in {schema.query_type, schema.mutation_type, schema.subscription_type}


def _is_problem(kind: GraphQLObjectType) -> bool:
    return any(each.name == "Problem" for each in kind.interfaces)


def _listed_by(kind: GraphQLObjectType) -> GraphQLNamedType | None:
    """What a page of a list, or an item with its position in it, is of."""
    for suffix, name in (("Connection", "nodes"), ("Edge", "node")):
        if kind.name.endswith(suffix) and name in kind.fields:
            listed: GraphQLNamedType = get_named_type(kind.fields[name].type)
            return listed
    return None

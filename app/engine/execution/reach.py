"""What an operation reads: the audiences of its fields, whether it needs external results, and what a key must hold."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    get_named_type,
)

from app.engine.declarations.audience import audience_of, is_external
from app.engine.declarations.key_scopes import NEVER, PUBLIC, declared_key_scope
from app.kit.loaders import Audience


class Reach(msgspec.Struct, frozen=True):
    """What a selection may read with any variables."""

    audiences: frozenset[Audience]
    external: bool
    """Whether a field in it is an external result: see `Reads.external`."""
    key_scopes: Mapping[str, str]
    """What an API key must hold for it, each with what it is first needed for."""

    @property
    def is_scoped(self) -> bool:
        """Whether a field in it is not public."""
        return self.audiences != {Audience.PUBLIC}


def reach_of(
    schema: GraphQLSchema,
    selections: SelectionSetNode,
    parent: GraphQLNamedType | None,
    fragments: Mapping[str, FragmentDefinitionNode],
) -> Reach:
    """The reach of these selections and of all fragments that they spread. Each fragment is visited once."""
    spread: set[str] = set()
    audiences: set[Audience] = set()
    external = False
    needed: dict[str, str] = {}
    todo = [(selections, parent)]
    while todo:
        below, kind = todo.pop()
        for node in below.selections:
            match node:
                case FragmentSpreadNode() if (name := node.name.value) not in spread:
                    spread.add(name)
                    condition = schema.get_type(fragments[name].type_condition.name.value)
                    _need(needed, condition)
                    todo.append((fragments[name].selection_set, condition))
                case InlineFragmentNode():
                    named = node.type_condition
                    condition = schema.get_type(named.name.value) if named else kind
                    _need(needed, condition)
                    todo.append((node.selection_set, condition))
                case FieldNode() if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
                    # Neither `__typename` nor introspection reads anything.
                    if (field := kind.fields.get(node.name.value)) is None:
                        continue
                    for scope in _key_scopes(schema, kind, field):
                        needed.setdefault(scope, f"{kind.name}.{node.name.value}")
                    for each in _concrete(schema, kind, node.name.value):
                        audiences.add(audience_of(each))
                        external = external or is_external(each)
                    if node.selection_set is not None:
                        todo.append((node.selection_set, get_named_type(field.type)))
    return Reach(frozenset(audiences), external, needed)


def _key_scopes(
    schema: GraphQLSchema, kind: GraphQLObjectType | GraphQLInterfaceType, field: GraphQLField
) -> Iterator[str]:
    """What a key must hold for a field: what its type needs, and that of its value. A field of an interface needs what
    each type needs that the object may have, unless the interface itself is declared. Of a value that may have several
    types, only what is selected counts.
    """
    if kind is schema.mutation_type:
        yield declared_key_scope(field) or NEVER
    if isinstance(kind, GraphQLInterfaceType) and declared_key_scope(kind) is None:
        for each in schema.get_possible_types(kind):
            yield from _scope_of(each)
    else:
        yield from _scope_of(kind)
    value = get_named_type(field.type)
    if isinstance(value, GraphQLObjectType):
        yield from _scope_of(value)


def _scope_of(kind: GraphQLNamedType) -> Iterator[str]:
    scope = declared_key_scope(kind) or NEVER
    if scope != PUBLIC and not kind.name.startswith("__"):
        yield scope


def _need(needed: dict[str, str], kind: GraphQLNamedType | None) -> None:
    """Of a fragment on an object type: also where it selects nothing but `__typename`."""
    if isinstance(kind, GraphQLObjectType):
        for scope in _scope_of(kind):
            needed.setdefault(scope, kind.name)


def _concrete(
    schema: GraphQLSchema, kind: GraphQLObjectType | GraphQLInterfaceType, name: str
) -> Iterable[GraphQLField]:
    """The field in each object type that a value may have."""
    types = schema.get_possible_types(kind) if isinstance(kind, GraphQLInterfaceType) else [kind]
    return [each.fields[name] for each in types]

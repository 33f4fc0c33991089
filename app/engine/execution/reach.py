"""What an operation reads: the audiences of its fields, and whether it needs external results."""

from collections.abc import Iterable, Mapping

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
from app.kit.loaders import Audience


class Reach(msgspec.Struct, frozen=True):
    """What a selection may read with any variables."""

    audiences: frozenset[Audience]
    external: bool
    """Whether a field in it is an external result: see `Reads.external`."""

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
    todo = [(selections, parent)]
    while todo:
        below, kind = todo.pop()
        for node in below.selections:
            match node:
                case FragmentSpreadNode() if (name := node.name.value) not in spread:
                    spread.add(name)
                    condition = fragments[name].type_condition.name.value
                    todo.append((fragments[name].selection_set, schema.get_type(condition)))
                case InlineFragmentNode():
                    named = node.type_condition
                    todo.append((node.selection_set, schema.get_type(named.name.value) if named else kind))
                case FieldNode() if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
                    # Neither `__typename` nor introspection reads anything.
                    if (field := kind.fields.get(node.name.value)) is None:
                        continue
                    for each in _concrete(schema, kind, node.name.value):
                        audiences.add(audience_of(each))
                        external = external or is_external(each)
                    if node.selection_set is not None:
                        todo.append((node.selection_set, get_named_type(field.type)))
    return Reach(frozenset(audiences), external)


def _concrete(
    schema: GraphQLSchema, kind: GraphQLObjectType | GraphQLInterfaceType, name: str
) -> Iterable[GraphQLField]:
    """The field in each object type that a value may have."""
    types = schema.get_possible_types(kind) if isinstance(kind, GraphQLInterfaceType) else [kind]
    return [each.fields[name] for each in types]

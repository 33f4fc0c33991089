"""What an operation reads: for which audiences, and whether others make something for it."""

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
    """What a selection reaches, whatever its variables say."""

    audiences: frozenset[Audience]
    external: bool
    """Whether something in it is external: others make it, with connections of their own."""

    @property
    def is_scoped(self) -> bool:
        """Whether something in it is not for everybody."""
        return self.audiences != {Audience.PUBLIC}


def reach_of(
    schema: GraphQLSchema,
    selections: SelectionSetNode,
    parent: GraphQLNamedType | None,
    fragments: Mapping[str, FragmentDefinitionNode],
) -> Reach:
    """What these selections and all fragments that they spread reach. Each fragment is looked at once."""
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
    """The field as each of the types has it that a value may be of."""
    types = schema.get_possible_types(kind) if isinstance(kind, GraphQLInterfaceType) else [kind]
    return [each.fields[name] for each in types]

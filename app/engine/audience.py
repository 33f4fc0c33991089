"""Who a field is for. Columns are for whoever sees their record, relations for whom their loader is."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

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
from strawberry.types.field import StrawberryField

from app.engine.direct import Column, ParentFunction, binding_of
from app.engine.relations import Relation
from app.engine.streams.declaring import declared_stream
from app.kit.loaders import Audience

_AUDIENCE: Final = "audience"
_OUTSIDE: Final = "outside"


def computed_for(audience: Audience) -> dict[str, Any]:
    """The metadata of a field whose resolver gives all of this audience the same. Undeclared: the viewer alone."""
    return {_AUDIENCE: audience}


def made_outside() -> dict[str, Any]:
    """The metadata of a public field for which others work, with connections of their own: see `Reads.external`."""
    return computed_for(Audience.PUBLIC) | {_OUTSIDE: True}


def audience_of(field: GraphQLField) -> Audience:
    """For whom a field is, as far as it says so itself."""
    if (declared := declared_stream(field)) is not None:
        return declared.audience
    match binding_of(field):
        case Relation() as relation:
            return relation.loader.audience
        # These see their parent and nothing else; whoever may see that may see them.
        case Column() | ParentFunction():
            return Audience.PUBLIC
    said = _metadata(field).get(_AUDIENCE)
    return said if isinstance(said, Audience) else Audience.VIEWER


def is_made_outside(field: GraphQLField) -> bool:
    """Whether a request waits for others to make it."""
    return _metadata(field).get(_OUTSIDE) is True


def _metadata(field: GraphQLField) -> Mapping[Any, Any]:
    definition = field.extensions.get("strawberry-definition")
    return definition.metadata if isinstance(definition, StrawberryField) else {}


class Reach(msgspec.Struct, frozen=True):
    """What a selection reaches, whatever its variables say."""

    audiences: frozenset[Audience]
    outside: bool
    """Whether something in it is made outside of the request."""

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
    outside = False
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
                        outside = outside or is_made_outside(each)
                    if node.selection_set is not None:
                        todo.append((node.selection_set, get_named_type(field.type)))
    return Reach(frozenset(audiences), outside)


def _concrete(
    schema: GraphQLSchema, kind: GraphQLObjectType | GraphQLInterfaceType, name: str
) -> Iterable[GraphQLField]:
    """The field as each of the types has it that a value may be of."""
    types = schema.get_possible_types(kind) if isinstance(kind, GraphQLInterfaceType) else [kind]
    return [each.fields[name] for each in types]

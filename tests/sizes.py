"""Whether a response holds no more items than its operation was charged for."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)
from graphql.execution.values import get_argument_values

from app.engine.declarations.costs import counted_argument, declared_size
from app.engine.declarations.limits import Limits
from app.engine.declarations.pages import DEFAULT_SIZE
from app.engine.execution.operations import Prepared


def overfull(schema: GraphQLSchema, limits: Limits, prepared: Prepared, data: Mapping[str, Any] | None) -> list[str]:
    """The lists of a response that have more items than they are charged for, in words."""
    root = schema.get_root_type(prepared.operation.operation)
    assert root is not None
    walk = _Walk(schema, limits, prepared)
    return list(walk.object(prepared.operation.selection_set, root, data, None)) if data else []


class _Walk:
    def __init__(self, schema: GraphQLSchema, limits: Limits, prepared: Prepared) -> None:
        self.schema = schema
        self.limits = limits
        self.prepared = prepared

    def object(
        self, selections: SelectionSetNode, parent: GraphQLNamedType, data: Mapping[str, Any], items: int | None
    ) -> Iterator[str]:
        """`items`: how many the lists right below may have, where the field above says it."""
        for node, kind in self._fields(selections, parent):
            name = (node.alias or node.name).value
            definition = self.schema.get_field(kind, node.name.value)
            if definition is None or data.get(name) is None:
                continue
            yield from self._field(node, definition, f"{kind.name}.{node.name.value}", data[name], items)

    def _field(
        self, node: FieldNode, definition: GraphQLField, name: str, value: Any, items: int | None
    ) -> Iterator[str]:
        own = self._own_size(node, definition)
        below = get_named_type(definition.type)
        is_list = is_list_type(get_nullable_type(definition.type))
        if is_list:
            most = own if own is not None else items
            if most is None or len(value) > most:
                yield f"{name} has {len(value)} items and is charged for {most}"
        if node.selection_set is None:
            return
        for each in value if is_list else [value]:
            if isinstance(each, dict):
                yield from self.object(node.selection_set, below, each, None if is_list else own)

    def _own_size(self, node: FieldNode, definition: GraphQLField) -> int | None:
        if (declared := declared_size(definition)) is not None:
            return declared(self.limits) if callable(declared) else declared
        arguments = get_argument_values(definition, node, self.prepared.variables)
        if (counted := counted_argument(definition)) is not None:
            listed = arguments.get(counted.name)
            return counted.most if listed is None else len(listed)
        if "first" not in definition.args:
            return None
        given = arguments.get("last") if arguments.get("first") is None else arguments["first"]
        return DEFAULT_SIZE if given is None else given

    def _fields(
        self, selections: SelectionSetNode, parent: GraphQLNamedType
    ) -> Iterator[tuple[FieldNode, GraphQLCompositeType]]:
        for each in selections.selections:
            if isinstance(each, FieldNode):
                yield each, parent  # type: ignore[misc]  # whatever has selections is composite
            elif isinstance(each, FragmentSpreadNode):
                yield from self._inside(self.prepared.fragments[each.name.value], parent)
            elif isinstance(each, InlineFragmentNode):
                yield from self._inside(each, parent)

    def _inside(
        self, fragment: FragmentDefinitionNode | InlineFragmentNode, parent: GraphQLNamedType
    ) -> Iterator[tuple[FieldNode, GraphQLCompositeType]]:
        condition = fragment.type_condition
        kind = self.schema.get_type(condition.name.value) if condition else parent
        assert kind is not None
        yield from self._fields(fragment.selection_set, kind)

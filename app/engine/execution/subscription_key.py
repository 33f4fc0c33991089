"""The part of a document by which equal subscriptions are recognised, computed once for each document."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

import msgspec
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    Visitor,
    print_ast,
    visit,
)

from app.engine.declarations.subscriptions import Durable, Volatile, declared_stream
from app.engine.execution.reach import reach_of
from app.kit.loaders import Audience

AFTER: Final = "after"
N = TypeVar("N", bound=Node)

_NARROWNESS: Final = {Audience.PUBLIC: 0, Audience.TENANT: 1, Audience.VIEWER: 2}


class SubscriptionKey(msgspec.Struct, frozen=True, eq=False):
    """What equal subscriptions have in common, apart from the values of their variables."""

    declared: Durable | Volatile
    audience: Audience
    """The narrowest audience of all selected fields. If all are public, events are executed for an anonymous caller."""
    document: str
    """The operation as the engine prints it, without `after`."""
    variables: tuple[str, ...]
    """The variables that the document uses, apart from `after`."""

    def values(self, coerced: Mapping[str, Any]) -> str:
        """The values of these variables as a text. Equal texts mean equal values."""
        return repr([(name, coerced[name]) for name in self.variables if name in coerced])


def subscription_key_of(
    schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> SubscriptionKey | None:
    """The key of a valid subscription to a declared field; None for any other operation."""
    root = schema.subscription_type
    if operation.operation is not OperationType.SUBSCRIPTION or root is None:
        return None
    field = next(_root_fields(operation.selection_set, fragments), None)
    declared = declared_stream(root.fields[field.name.value]) if field and field.name.value in root.fields else None
    if field is None or declared is None:
        return None
    used = [fragments[name] for name in sorted(_spread(operation, fragments))]
    parts = [_without_after(operation, field, used), *used]
    names = {name for part in parts for name in _variables_used(part)}
    audiences = reach_of(schema, operation.selection_set, root, fragments).audiences
    return SubscriptionKey(
        declared=declared,
        audience=max(audiences, key=_NARROWNESS.__getitem__),
        document="\n\n".join(map(print_ast, parts)),
        variables=tuple(sorted(names)),
    )


def _root_fields(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[FieldNode]:
    for selection in selections.selections:
        match selection:
            case FieldNode():
                yield selection
            case InlineFragmentNode():
                yield from _root_fields(selection.selection_set, fragments)
            case FragmentSpreadNode():
                yield from _root_fields(fragments[selection.name.value].selection_set, fragments)


def _without_after(
    operation: OperationDefinitionNode, field: FieldNode, fragments: Iterable[FragmentDefinitionNode]
) -> OperationDefinitionNode:
    """The operation without its `after` and without the variables that only `after` used.

    In a named fragment the field keeps its `after`: subscriptions with different cursors then share no executions.
    """
    kept = tuple(argument for argument in field.arguments or () if argument.name.value != AFTER)

    class Drop(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> Node | None:
            return _changed(node, arguments=kept) if node is field else None

    stripped: OperationDefinitionNode = visit(operation, Drop())
    used = {name for part in (stripped, *fragments) for name in _variables_used(part)}
    definitions = tuple(each for each in operation.variable_definitions or () if each.variable.name.value in used)
    return _changed(stripped, variable_definitions=definitions)


def _changed(node: N, **changes: object) -> N:
    # Other requests share the document: a changed node is a copy.
    return type(node)(**({key: getattr(node, key) for key in node.keys} | changes))


def _spread(node: Node, fragments: Mapping[str, FragmentDefinitionNode]) -> set[str]:
    """The names of all fragments that are spread below, at any depth."""
    found: set[str] = set()
    todo = [node]
    while todo:
        for each in _nodes(todo.pop(), FragmentSpreadNode):
            if each.name.value not in found:
                found.add(each.name.value)
                todo.append(fragments[each.name.value])
    return found


def _variables_used(node: Node) -> Iterator[str]:
    if isinstance(node, OperationDefinitionNode):
        # The definition of a variable is not a use.
        node = node.selection_set
    for variable in _nodes(node, VariableNode):
        yield variable.name.value


def _nodes(node: Node, kind: type[Any]) -> list[Any]:
    found: list[Any] = []

    class Collect(Visitor):
        def enter(self, each: Node, *_: Any) -> None:
            if isinstance(each, kind):
                found.append(each)

    visit(node, Collect())
    return found

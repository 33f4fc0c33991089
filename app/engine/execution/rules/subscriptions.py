"""A subscription has one root field: graphql-core's rule, with each fragment visited once for all operations."""

from collections.abc import Iterator
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    ValidationRule,
)

from app.engine.execution.limits.shape import leaves_first
from app.engine.execution.rules.fragments import fragments_of

_CONDITIONS = {"skip", "include"}
_FIRST = 2


class _Root:
    """The selections at the root: at most two different fields, and the first selection with a condition."""

    __slots__ = ("conditional", "fields")

    def __init__(self) -> None:
        self.fields: dict[str, FieldNode] = {}
        self.conditional: SelectionNode | None = None


class OneRootFieldRule(ValidationRule):
    """Refuses subscriptions with several root fields, none, an introspection field, or a condition at the root."""

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._fragments: dict[str, _Root] = {}

    def enter_document(self, node: DocumentNode, *_: Any) -> None:
        """Visits each fragment once."""
        if not any(
            isinstance(each, OperationDefinitionNode) and each.operation is OperationType.SUBSCRIPTION
            for each in node.definitions
        ):
            return
        fragments = fragments_of(node)
        for name in leaves_first(fragments):
            self._fragments[name] = self._root(fragments[name].selection_set)

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        """Reports the errors at the root of a subscription."""
        if node.operation is not OperationType.SUBSCRIPTION:
            return
        said = f"Subscription '{node.name.value}'" if node.name else "Anonymous Subscription"
        root = self._root(node.selection_set)
        if root.conditional is not None:
            message = f"{said} must not use `@skip` or `@include` directives in the top level selection."
            self.report_error(GraphQLError(message, root.conditional))
            return
        if len(root.fields) >= _FIRST:
            second = list(root.fields.values())[1]
            self.report_error(GraphQLError(f"{said} must select only one top level field.", second))
        elif not root.fields:
            self.report_error(GraphQLError(f"{said} must select one top level field.", node.selection_set))
        # Only the first field of each name counts. Another rule reports different fields with one name.
        if introspected := [each for each in root.fields.values() if each.name.value.startswith("__")]:
            message = f"{said} must not select an introspection top level field."
            self.report_error(GraphQLError(message, introspected[0]))

    def _root(self, selections: SelectionSetNode) -> _Root:
        root = _Root()
        for each in _inlined(selections):
            if any(directive.name.value in _CONDITIONS for directive in each.directives or ()):
                root.conditional = root.conditional or each
            if isinstance(each, FieldNode):
                _note(root, (each.alias or each.name).value, each)
            elif isinstance(each, FragmentSpreadNode) and (below := self._fragments.get(each.name.value)) is not None:
                root.conditional = root.conditional or below.conditional
                for name, node in below.fields.items():
                    _note(root, name, node)
        return root


def _note(root: _Root, name: str, node: FieldNode) -> None:
    if len(root.fields) < _FIRST:
        root.fields.setdefault(name, node)


def _inlined(selections: SelectionSetNode) -> Iterator[SelectionNode]:
    """The selections, including those in inline fragments."""
    todo = [iter(selections.selections)]
    while todo:
        each = next(todo[-1], None)
        if each is None:
            todo.pop()
            continue
        yield each
        if isinstance(each, InlineFragmentNode):
            todo.append(iter(each.selection_set.selections))

"""Variables: each used variable is defined, each defined one is used, and its type fits each use.

One rule in place of three of graphql-core, which visit all fragments of an operation for each operation. Here equal
usages are one bit, and a fragment has the bits of all fragments that it spreads.
"""

from collections.abc import Iterator
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Undefined,
    ValidationContext,
    ValidationRule,
    VariableDefinitionNode,
    is_nullable_type,
    type_from_ast,
    visit,
)
from graphql.validation.rules.variables_in_allowed_position import allowed_variable_usage
from graphql.validation.validation_context import VariableUsage, VariableUsageVisitor

from app.engine.execution.rules.fragments import masks_of, spread_mask


def _usages(schema: GraphQLSchema, node: OperationDefinitionNode | FragmentDefinitionNode) -> list[VariableUsage]:
    """The usages of variables, as graphql-core's context finds them, whose visitor would leave a reference cycle."""
    info = TypeInfo(schema)
    visitor = VariableUsageVisitor(info)
    whole = TypeInfoVisitor(info, visitor)
    visit(node, whole)
    usages = visitor.usages
    for each in (visitor, whole, info):
        vars(each).clear()
    return usages


class VariablesRule(ValidationRule):
    """Refuses variables that are undefined, unused, or of a type that does not fit their use."""

    context: ValidationContext

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._bits: dict[tuple[Any, ...], int] = {}
        self._usages: list[VariableUsage] = []
        """One usage of each kind, by its bit."""
        self._of_name: dict[str, list[int]] = {}
        self._masks: dict[str, int] = {}

    def enter_document(self, node: DocumentNode, *_: Any) -> None:
        """Reads the usages of every fragment."""
        self._masks = masks_of(node, self._mask)

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        """Reports the errors of an operation's variables."""
        used = self._mask(node) | spread_mask(node.selection_set, self._masks)
        where = f" by operation '{node.name.value}'" if node.name else ""
        within = f" in operation '{node.name.value}'" if node.name else ""
        defined = {each.variable.name.value: each for each in node.variable_definitions or ()}
        left = used
        for name, definition in defined.items():
            bits = [bit for bit in self._of_name.get(name, ()) if used >> bit & 1]
            if not bits:
                self.report_error(GraphQLError(f"Variable '${name}' is never used{within}.", definition))
            for bit in bits:
                left &= ~(1 << bit)
                self._check(definition, self._usages[bit])
        for usage in self._of(left):
            name = usage.node.name.value
            self.report_error(GraphQLError(f"Variable '${name}' is not defined{where}.", [usage.node, node]))

    def _check(self, definition: VariableDefinitionNode, usage: VariableUsage) -> None:
        schema, name = self.context.schema, definition.variable.name.value
        kind = type_from_ast(schema, definition.type)
        if usage.type is None or kind is None:
            return
        if not allowed_variable_usage(schema, kind, definition.default_value, usage.type, usage.default_value):
            message = f"Variable '${name}' of type '{kind}' used in position expecting type '{usage.type}'."
            self.report_error(GraphQLError(message, [definition, usage.node]))
        parent = usage.parent_type
        if isinstance(parent, GraphQLInputObjectType) and parent.is_one_of and is_nullable_type(kind):
            self.report_error(
                GraphQLError(
                    f"Variable '${name}' is of type '{kind}' but must be non-nullable to be used for OneOf Input Object"
                    f" '{parent}'.",
                    [definition, usage.node],
                )
            )

    def _mask(self, node: OperationDefinitionNode | FragmentDefinitionNode) -> int:
        mask = 0
        for usage in _usages(self.context.schema, node):
            parent = usage.parent_type
            one_of = parent if isinstance(parent, GraphQLInputObjectType) and parent.is_one_of else None
            name = usage.node.name.value
            key = (name, str(usage.type), one_of and one_of.name, usage.default_value is Undefined)
            bit = self._bits.setdefault(key, len(self._bits))
            if bit == len(self._usages):
                self._usages.append(usage)
                self._of_name.setdefault(name, []).append(bit)
            mask |= 1 << bit
        return mask

    def _of(self, mask: int) -> Iterator[VariableUsage]:
        while mask:
            bit = mask & -mask
            mask ^= bit
            yield self._usages[bit.bit_length() - 1]

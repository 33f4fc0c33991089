"""What an operation costs, computed from the document and its variables before anything is executed.

The formula is `COST_FORMULA`. Each fragment is weighed once, leaves first, so the work is linear in the document
however often fragments are spread.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLCompositeType,
    GraphQLError,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from app.engine.direct import way_of
from app.engine.failures import refuse
from app.engine.limits.extra import extra_cost
from app.engine.limits.model import LimitExceeded, Limits
from app.engine.limits.shape import INTROSPECTION, everything_in, leaves_first
from app.engine.pages import DEFAULT_FIRST
from app.engine.relations import Relation

LIST_SIZE: Final = 10
"""Assumed items of a list that has no `first`."""

MUTATION_COST: Final = 10


class Weight(NamedTuple):
    """Cost of selections, apart from how many items the lists among them have."""

    fixed: int
    """Counts once."""
    listed: int
    """Counts for each item of the lists."""

    def at(self, items: int) -> int:
        """The cost where each list has so many items."""
        return self.fixed + self.listed * items


class _Page(NamedTuple):
    """A connection on the heaviest path: the operation's cost has a term `first * each`."""

    path: str
    first: int
    each: int
    node: FieldNode
    largest: int
    """The most that its `first` may be."""


def check_cost(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: dict[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
    limits: Limits,
) -> int | GraphQLError:
    """The cost of the operation, or a refusal that says how to fit. `variables` are coerced."""
    scale = _Scale(schema, operation, fragments, variables, limits.first)
    cost = scale.total()
    if cost <= limits.cost:
        return cost
    return _refusal(scale.heaviest_pages(), cost, limits, operation)


def page_size_variables(operation: OperationDefinitionNode, fragments: dict[str, FragmentDefinitionNode]) -> list[str]:
    """The variables that the cost depends on."""
    found: dict[str, None] = {}
    for definition in (operation, *fragments.values()):
        for selection in everything_in(definition.selection_set):
            if isinstance(selection, FieldNode) and isinstance(value := _first_node(selection), VariableNode):
                found.setdefault(value.name.value)
    return list(found)


def _refusal(pages: list[_Page], cost: int, limits: Limits, operation: OperationDefinitionNode) -> GraphQLError:
    said = f"This operation costs {cost:,}; {limits.cost:,} is the limit." if cost < 10**15 else "This costs too much."
    # The longest page first: shortening it takes least from the reader.
    for page in sorted(pages, key=lambda each: -each.first):
        fitting = min((limits.cost - cost + page.first * page.each) // page.each, page.largest)
        if 1 <= fitting < page.first:
            hint = f"`{page.path}` weighs most: it fits with `first: {fitting}` or less instead of {page.first}."
            return refuse(LimitExceeded(f"{said} {hint}"), page.node)
    where = f"`{pages[0].path}` weighs most, and no page of it fits: ask" if pages else "Ask"
    return refuse(LimitExceeded(f"{said} {where} for fewer fields at once."), operation)


def _first_node(field: FieldNode) -> Any:
    return next((each.value for each in field.arguments or () if each.name.value == "first"), None)


class _Scale:
    """Weighs the selections of one operation under its variables."""

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        fragments: dict[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
        first_limit: int,
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._root = schema.get_root_type(operation.operation)
        self._fragments = fragments
        self._variables = variables
        self._first_limit = first_limit
        self._weights: dict[str, Weight] = {}
        for name in leaves_first(fragments):
            self._weights[name] = self._selections(fragments[name].selection_set, self._condition(fragments[name]))

    def total(self) -> int:
        return self._selections(self._operation.selection_set, self._root).at(LIST_SIZE)

    def heaviest_pages(self) -> list[_Page]:
        """The connections met on the way down through whatever weighs most, outermost first."""
        pages: list[_Page] = []
        path: list[str] = []
        selections, parent = self._operation.selection_set, cast(GraphQLNamedType | None, self._root)
        # What is selected here counts `factor` times; below its lists, `items` times as often.
        factor, items = 1, LIST_SIZE
        while selections.selections:
            heaviest = max(selections.selections, key=lambda each: self._selection(each, parent).at(items))
            if isinstance(heaviest, FragmentSpreadNode):
                fragment = self._fragments[heaviest.name.value]
                selections, parent = fragment.selection_set, self._condition(fragment)
                continue
            if isinstance(heaviest, InlineFragmentNode):
                selections, parent = heaviest.selection_set, self._condition(heaviest) or parent
                continue
            field, definition = cast(FieldNode, heaviest), self._field(parent, heaviest)
            if field.selection_set is None or definition is None:
                break
            path.append((field.alias or field.name).value)
            selections, parent = field.selection_set, get_named_type(definition.type)
            below = self._selections(selections, parent)
            if (first := self._first(field, definition)) is not None:
                each = factor * (below.at(LIST_SIZE) if _is_list(definition) else below.listed)
                pages += [_Page(".".join(path), first, each, field, self._largest(definition))] if each else []
                factor, items = (factor * first, LIST_SIZE) if _is_list(definition) else (factor, first)
            else:
                factor, items = (factor * items if _is_list(definition) else factor), LIST_SIZE
        return pages

    def _selections(self, selections: SelectionSetNode, parent: GraphQLNamedType | None) -> Weight:
        fixed = listed = 0
        for selection in selections.selections:
            weight = self._selection(selection, parent)
            fixed += weight.fixed
            listed += weight.listed
        return Weight(fixed, listed)

    def _selection(self, selection: SelectionNode, parent: GraphQLNamedType | None) -> Weight:
        if isinstance(selection, FragmentSpreadNode):
            return self._weights.get(selection.name.value, Weight(0, 0))
        if isinstance(selection, InlineFragmentNode):
            return self._selections(selection.selection_set, self._condition(selection) or parent)
        field = cast(FieldNode, selection)
        definition = self._field(parent, field)
        if field.selection_set is None:
            return Weight(self._base(parent) + (extra_cost(definition) if definition else 0), 0)
        if definition is None or field.name.value in INTROSPECTION:
            # How deep introspection may go is a rule of validation; what it reads is small and in memory.
            return Weight(1 + sum(isinstance(each, FieldNode) for each in everything_in(field.selection_set)), 0)
        below = self._selections(field.selection_set, get_named_type(definition.type))
        base = self._base(parent) + extra_cost(definition)
        if (first := self._first(field, definition)) is not None:
            return Weight(base + (first * below.at(LIST_SIZE) if _is_list(definition) else below.at(first)), 0)
        if _is_list(definition):
            return Weight(base, below.at(LIST_SIZE))
        return Weight(base + below.at(LIST_SIZE), 0)

    def _base(self, parent: GraphQLNamedType | None) -> int:
        is_root = self._operation.operation is OperationType.MUTATION and parent is self._root
        return MUTATION_COST if is_root else 1

    def _field(self, parent: GraphQLNamedType | None, node: SelectionNode) -> GraphQLField | None:
        name = cast(FieldNode, node).name.value
        return self._schema.get_field(cast(GraphQLCompositeType, parent), name) if parent else None

    def _largest(self, definition: GraphQLField) -> int:
        way = way_of(definition)
        return way.max_first if isinstance(way, Relation) else self._first_limit

    def _condition(self, fragment: FragmentDefinitionNode | InlineFragmentNode) -> GraphQLNamedType | None:
        return self._schema.get_type(fragment.type_condition.name.value) if fragment.type_condition else None

    def _first(self, field: FieldNode, definition: GraphQLField) -> int | None:
        """The page size; None for what is no connection."""
        argument = definition.args.get("first")
        if argument is None:
            return None
        node = _first_node(field)
        value: Any = None
        if isinstance(node, IntValueNode):
            value = int(node.value)
        elif isinstance(node, VariableNode):
            value = self._variables.get(node.name.value)
        # The resolver refuses what is no page size; here it only must not make anything cheaper.
        return max(1, value) if isinstance(value, int) else _default(argument)


def _default(argument: GraphQLArgument) -> int:
    return argument.default_value if isinstance(argument.default_value, int) else DEFAULT_FIRST


def _is_list(definition: GraphQLField) -> bool:
    return is_list_type(get_nullable_type(definition.type))

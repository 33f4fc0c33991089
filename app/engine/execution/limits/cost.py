"""The cost of an operation, computed from the document and its variables before anything is executed.

The formula is `COST_FORMULA`. Each fragment is weighed once, leaves first, so the work is linear in the document
however often fragments are spread.
"""

from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from typing import Any, Final, NamedTuple, TypeAlias, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from app.engine.declarations.bindings import binding_of
from app.engine.declarations.costs import counted_argument, declared_size, extra_cost
from app.engine.declarations.limits import LimitExceeded, Limits
from app.engine.declarations.pages import DEFAULT_SIZE
from app.engine.declarations.relations import Relation
from app.engine.execution.failures import refuse
from app.engine.execution.limits.introspection import (
    INTROSPECTION,
    introspected_sizes,
    introspection_cost,
    reads_only_the_schema,
)
from app.engine.execution.limits.shape import everything_in, leaves_first

LIST_SIZE: Final = 10
"""The number of items of a list that declares no size. All lists of the schema declare one."""

MUTATION_COST: Final = 10

Number: TypeAlias = int | Fraction
"""Whole numbers but within introspection, where the lists of a type have the average size."""


class Weight(NamedTuple):
    """The cost of selections, as a function of the number of items of the lists among them."""

    fixed: Number
    """The cost that counts once."""
    listed: Number
    """The cost that counts for each item of the lists."""

    def at(self, items: Number) -> Number:
        """The cost if each list has this number of items."""
        return self.fixed + self.listed * items


ITEM: Final = Weight(1, 0)
PAGE_SIZES: Final = ("first", "last")
"""The arguments of a list that set the size of its page. One of them is given."""


class _Page(NamedTuple):
    """A list on the heaviest path whose size is an argument: the cost has a term `size * each`."""

    path: str
    argument: str
    size: int
    each: Number
    node: FieldNode
    largest: int
    """The maximum of the size."""

    def hint(self, fitting: int) -> str:
        """A message that says how to stay within the limit."""
        if self.argument in PAGE_SIZES:
            return (
                f"`{self.path}` weighs most: it fits with `{self.argument}: {fitting}` or less instead of {self.size}."
            )
        return f"`{self.path}` weighs most: it fits with {fitting} `{self.argument}` or fewer instead of {self.size}."


def check_cost(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: dict[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
    limits: Limits,
) -> int | GraphQLError:
    """The cost of the operation, or an error that says how to stay within the limit. `variables` are coerced."""
    scale = _Scale(schema, operation, fragments, variables, limits)
    cost = scale.total()
    if cost <= limits.cost:
        return cost
    return _refusal(scale.heaviest_pages(), cost, limits, operation)


def sizing_arguments(schema: GraphQLSchema) -> frozenset[str]:
    """The names of all arguments that set a number of items."""
    return frozenset(
        name
        for kind in schema.type_map.values()
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
        for field in kind.fields.values()
        for name in _sizing(field)
    )


def sizing_variables(
    operation: OperationDefinitionNode, fragments: dict[str, FragmentDefinitionNode], arguments: frozenset[str]
) -> list[str]:
    """The variables that the cost depends on. `arguments` are the names of those that set a number of items."""
    found: dict[str, None] = {}
    for definition in (operation, *fragments.values()):
        for selection in everything_in(definition.selection_set):
            for argument in selection.arguments or () if isinstance(selection, FieldNode) else ():
                if argument.name.value in arguments and isinstance(argument.value, VariableNode):
                    found.setdefault(argument.value.name.value)
    return list(found)


def _sizing(definition: GraphQLField) -> tuple[str, ...]:
    """The arguments that set the number of items below the field. At most one of them counts."""
    if (counted := counted_argument(definition)) is not None:
        return (counted.name,)
    return tuple(name for name in PAGE_SIZES if name in definition.args)


def _refusal(pages: list[_Page], cost: int, limits: Limits, operation: OperationDefinitionNode) -> GraphQLError:
    said = f"This operation costs {cost:,}; {limits.cost:,} is the limit." if cost < 10**15 else "This costs too much."
    hint, node = _hint(pages, cost, limits)
    return refuse(LimitExceeded(f"{said} {hint}"), node or operation)


def _hint(pages: list[_Page], cost: int, limits: Limits) -> tuple[str, FieldNode | None]:
    # The longest page first: it is the easiest to shorten.
    for page in sorted(pages, key=lambda each: -each.size):
        fitting = min((limits.cost - cost + page.size * page.each) // page.each, page.largest)
        if 1 <= fitting < page.size:
            return page.hint(fitting), page.node
    where = f"`{pages[0].path}` weighs most, and no page of it fits: ask" if pages else "Ask"
    return f"{where} for fewer fields at once.", None


def hint_to_fit(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: dict[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
    limits: Limits,
) -> str:
    """How to bring an operation that costs more than the limit within it, in English."""
    scale = _Scale(schema, operation, fragments, variables, limits)
    return _hint(scale.heaviest_pages(), scale.total(), limits)[0]


def _argument(field: FieldNode, name: str) -> ValueNode | None:
    return next((each.value for each in field.arguments or () if each.name.value == name), None)


class _Scale:
    """Weighs the selections of one operation under its variables."""

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        fragments: dict[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
        limits: Limits,
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._root = schema.get_root_type(operation.operation)
        self._fragments = fragments
        self._variables = variables
        self._limits = limits
        self._is_introspection = reads_only_the_schema(operation, fragments)
        self._weights: dict[str, Weight] = {}
        self._weighed: dict[int, Weight] = {}
        """By the selection set: the search for the heaviest path weighs everything on it again."""
        for name in leaves_first(fragments):
            self._weights[name] = self._selections(fragments[name].selection_set, self._condition(fragments[name]))

    def total(self) -> int:
        return ceil(self._selections(self._operation.selection_set, self._root).at(LIST_SIZE))

    def heaviest_pages(self) -> list[_Page]:
        """The pages on the path of the heaviest selection of each level, outermost first."""
        pages: list[_Page] = []
        path: list[str] = []
        selections, parent = self._operation.selection_set, cast(GraphQLNamedType | None, self._root)
        # These selections count `factor` times, and those below their lists `items` times as often.
        factor: Number = 1
        items: Number = LIST_SIZE
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
            above = parent
            selections, parent = field.selection_set, get_named_type(definition.type)
            below = self._selections(selections, parent)
            if (sized := self._size(field, definition)) is not None:
                argument, size = sized
                each = factor * (below.at(LIST_SIZE) if _is_list(definition) else below.listed)
                page = _Page(".".join(path), argument, size, each, field, self._largest(definition))
                pages += [page] if each else []
                factor, items = (factor * size, LIST_SIZE) if _is_list(definition) else (factor, size)
            elif _is_list(definition):
                factor, items = factor * (self._declared(definition, above, field) or items), LIST_SIZE
            else:
                items = LIST_SIZE
        return pages

    def _selections(self, selections: SelectionSetNode, parent: GraphQLNamedType | None) -> Weight:
        if (known := self._weighed.get(id(selections))) is not None:
            return known
        fixed: Number = 0
        listed: Number = 0
        for selection in selections.selections:
            weight = self._selection(selection, parent)
            fixed += weight.fixed
            listed += weight.listed
        weighed = self._weighed[id(selections)] = Weight(fixed, listed)
        return weighed

    def _selection(self, selection: SelectionNode, parent: GraphQLNamedType | None) -> Weight:
        if isinstance(selection, FragmentSpreadNode):
            return self._weights.get(selection.name.value, Weight(0, 0))
        if isinstance(selection, InlineFragmentNode):
            return self._selections(selection.selection_set, self._condition(selection) or parent)
        field = cast(FieldNode, selection)
        definition = self._field(parent, field)
        if definition is None:
            return Weight(self._base(parent), 0)
        # Each item of a list of plain values counts.
        below = self._selections(field.selection_set, get_named_type(definition.type)) if field.selection_set else ITEM
        base = self._base(parent) + extra_cost(definition)
        if field.name.value in INTROSPECTION:
            return Weight(base + introspection_cost(below.at(LIST_SIZE), alone=self._is_introspection), 0)
        if (sized := self._size(field, definition)) is not None:
            _, items = sized
            return Weight(base + (items * below.at(LIST_SIZE) if _is_list(definition) else below.at(items)), 0)
        if _is_list(definition):
            size = self._declared(definition, parent, field)
            return Weight(base, below.at(LIST_SIZE)) if size is None else Weight(base + size * below.at(LIST_SIZE), 0)
        # Of what wraps types in one another, most is null.
        share = self._introspected(parent, field) or 1
        return Weight(base + share * below.at(LIST_SIZE), 0) if field.selection_set else Weight(base, 0)

    def _base(self, parent: GraphQLNamedType | None) -> int:
        is_root = self._operation.operation is OperationType.MUTATION and parent is self._root
        return MUTATION_COST if is_root else 1

    def _field(self, parent: GraphQLNamedType | None, node: SelectionNode) -> GraphQLField | None:
        name = cast(FieldNode, node).name.value
        return self._schema.get_field(cast(GraphQLCompositeType, parent), name) if parent else None

    def _declared(self, definition: GraphQLField, parent: GraphQLNamedType | None, node: FieldNode) -> Number | None:
        """The declared maximum number of items of a list; of a list of introspection, how many the schema has."""
        if parent is not None and parent.name.startswith("__"):
            return self._introspected(parent, node)
        most = declared_size(definition)
        return most(self._limits) if callable(most) else most

    def _introspected(self, parent: GraphQLNamedType | None, node: FieldNode) -> Number | None:
        if parent is None or not parent.name.startswith("__"):
            return None
        return introspected_sizes(self._schema).get(f"{parent.name}.{node.name.value}")

    def _largest(self, definition: GraphQLField) -> int:
        if (counted := counted_argument(definition)) is not None:
            return counted.most
        binding = binding_of(definition)
        return binding.max_size if isinstance(binding, Relation) else self._limits.first

    def _condition(self, fragment: FragmentDefinitionNode | InlineFragmentNode) -> GraphQLNamedType | None:
        return self._schema.get_type(fragment.type_condition.name.value) if fragment.type_condition else None

    def _size(self, field: FieldNode, definition: GraphQLField) -> tuple[str, int] | None:
        """The argument that sets the number of items, and the number; None if the field has no such argument."""
        names = _sizing(definition)
        given = {name: value for name in names if (value := self._value(field, name)) is not None}
        if (counted := counted_argument(definition)) is not None:
            return counted.name, max(1, len(given[counted.name])) if given else counted.most
        # The resolver refuses an invalid size. Here it must not reduce the cost.
        sizes = [(max(1, value), name) for name, value in given.items() if isinstance(value, int)]
        size, name = max(sizes, default=(DEFAULT_SIZE, names[0] if names else ""))
        return (name, size) if names else None

    def _value(self, field: FieldNode, name: str) -> Any:
        """The value of an argument, as far as the cost depends on it; None if it is not given."""
        node = _argument(field, name)
        if isinstance(node, IntValueNode):
            return int(node.value)
        if isinstance(node, VariableNode):
            return self._variables.get(node.name.value)
        if isinstance(node, ListValueNode):
            return node.values
        # A single value is coerced to a list of one.
        return None if node is None or isinstance(node, NullValueNode) else [node]


def _is_list(definition: GraphQLField) -> bool:
    return is_list_type(get_nullable_type(definition.type))

"""How much of the schema an operation reads. It is read from memory, but written out it is long."""

from collections.abc import Iterable, Mapping, Sequence, Sized
from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLType,
    GraphQLWrappingType,
    InlineFragmentNode,
    OperationDefinitionNode,
    is_abstract_type,
)

INTROSPECTION: Final = frozenset({"__schema", "__type"})
VALUES_PER_COST: Final = 25
"""Values of the schema that cost 1 in an operation that reads nothing else: it is executed in a thread."""
COST_PER_VALUE: Final = 5
"""The cost of each value in other operations, which keep the event loop busy with it."""


@lru_cache(maxsize=8)
def introspected_sizes(schema: GraphQLSchema) -> Mapping[str, Fraction]:
    """The number of items of each list of introspection, by its coordinate. Of the lists of a type it is the average
    over all types, and not rounded: together with `types` the product is what there is. Of `ofType`, which wraps types
    in one another, it is how many are not null of each that is not: at no depth there are more.
    """
    types = list(schema.type_map.values())
    abstract = [each for each in types if is_abstract_type(each)]
    enums = [each for each in types if isinstance(each, GraphQLEnumType)]
    inputs = [each for each in types if isinstance(each, GraphQLInputObjectType)]
    composite = [each for each in types if isinstance(each, GraphQLObjectType | GraphQLInterfaceType)]
    fields = [field for each in composite for field in each.fields.values()]
    typed = [*fields, *(arg for each in fields for arg in each.args.values())]
    typed += [field for each in inputs for field in each.fields.values()]

    def average(lists: Iterable[Sized], of: Sized) -> Fraction:
        return Fraction(sum(map(len, lists)), max(1, len(of)))

    return {
        "__Schema.types": Fraction(len(types)),
        "__Schema.directives": Fraction(len(schema.directives)),
        "__Type.ofType": _ratio_of_wrapped([_wrappings(each.type) for each in typed]),
        "__Type.fields": average((each.fields for each in composite), types),
        "__Type.interfaces": average((each.interfaces for each in composite), types),
        "__Type.possibleTypes": average((schema.get_possible_types(each) for each in abstract), types),
        "__Type.enumValues": average((each.values for each in enums), types),
        "__Type.inputFields": average((each.fields for each in inputs), types),
        "__Field.args": average((each.args for each in fields), fields),
        "__Directive.args": average((each.args for each in schema.directives), schema.directives),
        "__Directive.locations": average((each.locations for each in schema.directives), schema.directives),
    }


def _wrappings(kind: GraphQLType) -> int:
    """How many lists and non-nulls are around a named type."""
    return 1 + _wrappings(kind.of_type) if isinstance(kind, GraphQLWrappingType) else 0


def _ratio_of_wrapped(wrappings: Sequence[int]) -> Fraction:
    """By which ratio there are fewer with each wrapping, in thousandths: at every depth at least as many as there are.
    The types of introspection itself are wrapped, so there always are some.
    """
    shares = [sum(each >= depth for each in wrappings) / len(wrappings) for depth in range(1, max(wrappings) + 1)]
    return max(Fraction(ceil(1000 * share ** (1 / depth)), 1000) for depth, share in enumerate(shares, 1))


def introspection_cost(values: int | Fraction, *, alone: bool) -> int:
    """The cost of this number of values, in an operation that reads nothing else or in another."""
    return ceil(Fraction(values, VALUES_PER_COST) if alone else values * COST_PER_VALUE)


def reads_only_the_schema(operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> bool:
    """Whether all root fields are introspection, at least one of them `__schema` or `__type`."""
    names: set[str] = set()
    spread: set[str] = set()
    stack = [operation.selection_set]
    while stack:
        for selection in stack.pop().selections:
            if isinstance(selection, FieldNode):
                names.add(selection.name.value)
            elif isinstance(selection, InlineFragmentNode):
                stack.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in spread:
                spread.add(selection.name.value)
                stack.append(fragments[selection.name.value].selection_set)
    return bool(names & INTROSPECTION) and names <= INTROSPECTION | {"__typename"}

"""How much of the schema an operation reads. It is read from memory, but written out it is long."""

from collections.abc import Iterable, Mapping, Sized
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
    InlineFragmentNode,
    OperationDefinitionNode,
    is_abstract_type,
)

INTROSPECTION: Final = frozenset({"__schema", "__type"})
VALUES_PER_COST: Final = 25
"""Values of the schema that cost 1 in an operation that reads nothing else: it is executed in a thread. Most `ofType`
are null, so that what a common tool asks is about a third of its estimate."""
COST_PER_VALUE: Final = 5
"""The cost of each value in other operations, which keep the event loop busy with it."""


@lru_cache(maxsize=8)
def introspected_sizes(schema: GraphQLSchema) -> Mapping[str, Fraction]:
    """The number of items of each list of introspection, by its coordinate. Of the lists of a type it is the average
    over all types, and not rounded: together with `types` the product is what there is.
    """
    types = list(schema.type_map.values())
    abstract = [each for each in types if is_abstract_type(each)]
    enums = [each for each in types if isinstance(each, GraphQLEnumType)]
    inputs = [each for each in types if isinstance(each, GraphQLInputObjectType)]
    composite = [each for each in types if isinstance(each, GraphQLObjectType | GraphQLInterfaceType)]
    fields = [field for each in composite for field in each.fields.values()]

    def average(lists: Iterable[Sized], of: Sized) -> Fraction:
        return Fraction(sum(map(len, lists)), max(1, len(of)))

    return {
        "__Schema.types": Fraction(len(types)),
        "__Schema.directives": Fraction(len(schema.directives)),
        "__Type.fields": average((each.fields for each in composite), types),
        "__Type.interfaces": average((each.interfaces for each in composite), types),
        "__Type.possibleTypes": average((schema.get_possible_types(each) for each in abstract), types),
        "__Type.enumValues": average((each.values for each in enums), types),
        "__Type.inputFields": average((each.fields for each in inputs), types),
        "__Field.args": average((each.args for each in fields), fields),
        "__Directive.args": average((each.args for each in schema.directives), schema.directives),
        "__Directive.locations": average((each.locations for each in schema.directives), schema.directives),
    }


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

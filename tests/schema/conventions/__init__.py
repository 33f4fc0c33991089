"""The conventions of the graph: each rule finds the coordinates of a built schema that break it."""

from collections.abc import Callable
from typing import Final

from graphql import GraphQLSchema

from tests.schema.conventions import inputs, lists, names, order, shapes, units

Rule = Callable[[GraphQLSchema], list[str]]

RULES: Final[dict[str, Rule]] = {
    rule.__name__: rule
    for rule in (
        units.durations,
        units.rates,
        units.times,
        units.percentages_and_fractions,
        units.numbers_with_a_unit,
        units.money_beside_its_currency,
        names.booleans,
        names.ids,
        names.hashes,
        names.cases,
        names.reserved_words,
        names.one_type_for_one_notion,
        inputs.no_required_field_with_a_default,
        inputs.patches,
        inputs.changed_object,
        lists.pages,
        lists.filters_and_orders,
        lists.wording_of_filters,
        shapes.mutations,
        shapes.lookups,
        shapes.deletions,
        shapes.connections,
        shapes.described,
        shapes.specified_scalars,
        order.public_before_admin,
    )
}

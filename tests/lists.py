"""Every shape of the statements of a list."""

from collections.abc import Iterator
from itertools import chain, combinations, product
from typing import Any

from app.kit.list_statements import Shape
from app.kit.lists import Operator, Page

PLACES = [
    # backward, after, before, and whether it is asked what is around the page
    (False, False, False, False),
    (False, True, False, False),
    (False, True, False, True),
    (True, False, True, True),
    (True, False, False, False),
    (False, True, True, True),
    (True, True, True, True),
]


def filters_of(loader: Page[Any], most: int) -> Iterator[tuple[tuple[str, Any], ...]]:
    """Every choice of up to `most` filters, and all of them; each constant with each value."""
    names = list(loader.filters)
    chosen = chain.from_iterable(combinations(names, size) for size in range(min(most, len(names)) + 1))
    for choice in [*chosen, *([tuple(names)] if len(names) > most else [])]:
        constants = [
            [(name, value) for value in loader.filters[name].constants]
            if loader.filters[name].operator is Operator.CONSTANT
            else [(name, None)]
            for name in choice
        ]
        parameters = [(name, None) for name in loader.parameters]
        # All filters at once with the first value of each constant: the values are tried in smaller choices.
        for values in product(*constants) if len(choice) <= most else [tuple(each[0] for each in constants)]:
            yield (*parameters, *values)


def shapes(loader: Page[Any], most: int = 2) -> Iterator[Shape]:
    """Every order in both directions, with every choice of filters, at every place."""
    for order, descending, filters in product(loader.orders, (False, True), list(filters_of(loader, most))):
        for is_backward, has_after, has_before, asks in PLACES:
            yield Shape(
                order, descending, is_backward, has_after, has_before, asks and has_after, asks and has_before, filters
            )

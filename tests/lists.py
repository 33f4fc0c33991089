"""The statements of lists: every shape, and those of a request."""

from collections.abc import Iterator
from itertools import chain, combinations, product
from typing import Any

from app.kit.list_statements import Shape, count_statement, page_statement
from app.kit.lists import Operator, Page, page_request
from app.kit.reads import COUNT_LIMIT
from app.kit.sql import Query
from tests.engine.support import CURSORS

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


def page_of(loader: Page[Any], *keys: Any, size: int = 20, **request: Any) -> tuple[Query[Any], list[Any]]:
    """The statement for a page of these keys' lists, and its arguments."""
    asked = page_request(loader, size, **request)
    statement = page_statement(loader, asked)
    return statement.query, [*([list(keys)] if loader.is_keyed else []), *statement.arguments(size + 1, asked)]


def count_of(loader: Page[Any], *keys: Any, **filters: Any) -> tuple[Query[Any], list[Any]]:
    """The statement that counts these keys' lists, and its arguments."""
    asked = page_request(loader, 0, filters=filters)
    statement = count_statement(loader, asked.filters)
    return statement.query, [*([list(keys)] if loader.is_keyed else []), *statement.arguments(COUNT_LIMIT + 1, asked)]


def encode(loader: Page[Any], record: Any, order: str | None = None, *, descending: bool | None = None) -> str:
    """The cursor of a record, as clients hold it."""
    request = page_request(loader, 1, order, descending=descending)
    return CURSORS.encode(loader, request.order, record, descending=request.descending)


def decode(
    loader: Page[Any], cursor: str, order: str | None = None, *, descending: bool | None = None
) -> tuple[Any, ...]:
    """The position of a cursor."""
    request = page_request(loader, 1, order, descending=descending)
    return CURSORS.decode(loader, request.order, cursor, descending=request.descending, argument="after")

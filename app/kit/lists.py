"""What a list is: rows, the orders and filters that it offers, and requests for its pages.

A list is declared over a statement that returns all of its rows, in no order. Pages and counts are composed over it
(`app/kit/list_statements.py`). An order is columns of the record, the last of which is unique, so that a position
between two rows is a value of these columns: a page starts there whatever was inserted or deleted meanwhile.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any, Generic, TypeVar

import msgspec

from app.kit.audience import Audience
from app.kit.sql import Rows

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

Position = tuple[Any, ...]
"""The values of an order's columns: a place between two rows."""


class Term(msgspec.Struct, frozen=True):
    """A column that a list is sorted by. If it may be null, nulls are sorted as the highest value in either direction
    (`lowest` if descending), so that they come last."""

    column: str
    lowest: int | Decimal | None = None
    highest: int | Decimal | None = None

    def fallback(self, *, descending: bool) -> int | Decimal | None:
        """What null is sorted as; None if the column is never null."""
        return self.lowest if descending else self.highest


class Order(msgspec.Struct, frozen=True):
    """An order of a list, in the direction that it has if the client names none."""

    terms: tuple[Term, ...]
    descending: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the list is sorted by. The last one is unique."""
        return tuple(term.column for term in self.terms)

    def position(self, record: Any, *, descending: bool) -> Position:
        """The position of a record."""
        return tuple(
            term.fallback(descending=descending) if (value := getattr(record, term.column)) is None else value
            for term in self.terms
        )


class Operator(StrEnum):
    """How a column is compared with the value of a filter."""

    EQUAL = "{column} = {value}"
    AT_LEAST = "{column} >= {value}"
    AT_MOST = "{column} <= {value}"
    BEFORE = "{column} < {value}"
    ANY_OF = "{column} = ANY ({value})"
    OVERLAPS = "{column} && {value}"
    # The beginning as a range, which an index with `text_pattern_ops` serves whatever the value.
    STARTS_WITH = "({column} ~>=~ {value} AND {column} ~<~ ({value} || U&'\\+10FFFF'))"
    CONTAINS = "strpos(lower({column}), lower({value})) > 0"
    MATCHES = "{column} @@ websearch_to_tsquery('english', {value})"
    CONSTANT = "{column} = {constant}"


class Filter(msgspec.Struct, frozen=True):
    """A condition that a client may set on a list."""

    column: str
    operator: Operator
    type: str | None = None
    """The type of the value in Postgres, where it does not follow from the operator."""
    constants: tuple[str | bool, ...] = ()
    """The values that a constant can have."""
    is_gated: bool = False
    """Whether the list is read along this column's index while few rows satisfy the condition, and otherwise along its
    order: Postgres has one plan for all values of a filter."""


def equals(column: str) -> Filter:
    """The column has this value."""
    return Filter(column, Operator.EQUAL)


def constant(column: str, values: Iterable[str | bool] = (True, False)) -> Filter:
    """The column has one of these values. Each has statements of its own, so that an index over some of the rows can
    be used."""
    return Filter(column, Operator.CONSTANT, constants=tuple(map(value_of, values)))


def at_least(column: str, *, gated: bool = False) -> Filter:
    """The column is at least this value."""
    return Filter(column, Operator.AT_LEAST, is_gated=gated)


def at_most(column: str, *, gated: bool = False) -> Filter:
    """The column is at most this value."""
    return Filter(column, Operator.AT_MOST, is_gated=gated)


def before(column: str, *, gated: bool = False) -> Filter:
    """The column is less than this value."""
    return Filter(column, Operator.BEFORE, is_gated=gated)


def any_of(column: str, type: str) -> Filter:
    """The column has one of these values of this type. The lists of all values are merged, so that an index that
    begins with the column can be used."""
    return Filter(column, Operator.ANY_OF, type)


def overlaps(column: str, type: str) -> Filter:
    """The column, an array, contains one of these values of this type."""
    return Filter(column, Operator.OVERLAPS, type, is_gated=True)


def starts_with(column: str) -> Filter:
    """The column, a text, starts with this text."""
    return Filter(column, Operator.STARTS_WITH, is_gated=True)


def contains(column: str) -> Filter:
    """The column, a text, contains this text in any case. For short lists: no index serves it."""
    return Filter(column, Operator.CONTAINS)


def matches(column: str) -> Filter:
    """The column, a `tsvector`, matches this search."""
    return Filter(column, Operator.MATCHES, is_gated=True)


def nulls_last(column: str, lowest: int | Decimal, highest: int | Decimal) -> Term:
    """A column that may be null. Its other values lie between these two."""
    return Term(column, lowest, highest)


def by(*columns: str | Term, descending: bool = False) -> Order:
    """An order by these columns, the last of which is unique."""
    return Order(tuple(each if isinstance(each, Term) else Term(each) for each in columns), descending)


class Page(msgspec.Struct, Generic[R_co], frozen=True, eq=False):
    """A list that is read page by page."""

    sources: tuple[Rows[R_co], ...]
    """The rows of the list are those of all of these together. No row is in two of them."""
    orders: Mapping[str, Order]
    """By name. The first is the default."""
    filters: Mapping[str, Filter]
    audience: Audience

    @property
    def name(self) -> str:
        """The name of the list, in metrics and in cursors."""
        return self.sources[0].name

    @property
    def record(self) -> Any:
        """The type of the rows."""
        return self.sources[0].record

    @property
    def parameters(self) -> tuple[str, ...]:
        """The values that the statement itself needs. They are given as filters are, and may be null."""
        return tuple(name for name in self.sources[0].slots if name != "key")

    @property
    def is_keyed(self) -> bool:
        """Whether there is a list for each key. Otherwise it is a list of its own."""
        return "key" in self.sources[0].slots

    @property
    def default_order(self) -> str:
        """The order of a request that names none."""
        return next(iter(self.orders))


class PageRequest(msgspec.Struct, frozen=True):
    """Which part of a list: the `size` rows after `after` (backward: before `before`), and between the two."""

    size: int
    order: str
    descending: bool = False
    after: Position | None = None
    before: Position | None = None
    is_backward: bool = False
    filters: tuple[tuple[str, Any], ...] = ()
    """The filters that are set, and the values of parameters, by their names."""
    asks_previous: bool = False
    """Whether it matters if there are rows before the page."""
    asks_next: bool = False
    """Whether it matters if there are rows after the page."""


class PageResult(msgspec.Struct, Generic[R], frozen=True):
    """Records of one page, in the order of the list, and whether there are others; as far as the request asks."""

    records: list[R]
    has_next: bool
    has_previous: bool = False


def value_of(given: Any) -> Any:
    """A value of a filter as one that can be a key: a list becomes a tuple."""
    return tuple(given) if isinstance(given, list) else given.value if isinstance(given, Enum) else given


def page_request(
    loader: Page[Any],
    size: int,
    order: str | None = None,
    *,
    descending: bool | None = None,
    filters: Mapping[str, Any] | None = None,
    **more: Any,
) -> PageRequest:
    """A request of a list. Filters that are None are not set."""
    name = order or loader.default_order
    known = (*loader.parameters, *loader.filters)
    given = filters or {}
    assert given.keys() <= set(known), f"{loader.name} has no filter {sorted(given.keys() - set(known))}"
    chosen = tuple(
        (each, value_of(given.get(each))) for each in known if given.get(each) is not None or each in loader.parameters
    )
    is_descending = loader.orders[name].descending if descending is None else descending
    return PageRequest(size, name, is_descending, filters=chosen, **more)

"""The statements of lists: composed from a list's rows and its declared orders and filters.

Nothing of a client becomes part of a statement: orders, filters and their constants are those that are declared, and
every value is a parameter. There is a statement for each shape of a request; a test has Postgres prepare
them, with every choice of up to two filters.

A filter that is gated is counted first, up to `RARE` rows: if there are not more, exactly these are read and sorted;
otherwise they are frequent, and are soon found along the order of the list.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from app.kit.lists import Operator, Order, Page, PageRequest, Position
from app.kit.sql import Keyed, Query, Rows

RARE: Final = 2000
"""At most so many rows are read and sorted."""

_ALL: Final = 2**63 - 1
_RANGES: Final = {Operator.AT_LEAST, Operator.AT_MOST, Operator.BEFORE}
_AFTER: Final = "after"
_BEFORE: Final = "before"


class Shape(NamedTuple):
    """What of a request determines its statement."""

    order: str
    descending: bool
    is_backward: bool
    has_after: bool
    has_before: bool
    asks_previous: bool
    asks_next: bool
    filters: tuple[tuple[str, Any], ...]
    """The names of the filters that are set, each with its value if that is a constant of the statement."""


class ListStatement(NamedTuple):
    """A composed statement, and where the values of its parameters come from."""

    query: Query[Any]
    """A page's rows are `ord` if the list has keys, `has_previous`, `has_next` and `is_row` if it asks for the former,
    and the columns of a record. A count's rows are `ord` if the list has keys, and the number."""
    asks_around: bool
    slots: tuple[tuple[str, Any], ...]

    def arguments(self, limit: int, request: PageRequest) -> list[Any]:
        """The values of the parameters, except the keys."""
        values = dict(request.filters)
        sources: dict[str, Callable[[Any], Any]] = {
            "limit": lambda _: limit,
            "filter": values.__getitem__,
            _AFTER: lambda place: _at(request.after, place),
            _BEFORE: lambda place: _at(request.before, place),
        }
        return [sources[source](name) for source, name in self.slots if source != "keys"]


def _at(position: Position | None, place: int) -> Any:
    assert position is not None
    return position[place]


def page_statement(loader: Page[Any], request: PageRequest) -> ListStatement:
    """The statement for a page."""
    return compose_page(loader, _shape(loader, request))


def count_statement(loader: Page[Any], filters: tuple[tuple[str, Any], ...]) -> ListStatement:
    """The statement that counts the list, up to its limit."""
    request = PageRequest(0, loader.default_order, loader.orders[loader.default_order].descending, filters=filters)
    return compose_count(loader, _shape(loader, request))


def _shape(loader: Page[Any], request: PageRequest) -> Shape:
    constants = {name for name, each in loader.filters.items() if each.operator is Operator.CONSTANT}
    return Shape(
        request.order,
        request.descending,
        request.is_backward,
        request.after is not None,
        request.before is not None,
        request.asks_previous and request.after is not None,
        request.asks_next and request.before is not None,
        tuple((name, value if name in constants else None) for name, value in request.filters),
    )


@lru_cache(maxsize=4096)
def compose_page(loader: Page[Any], shape: Shape) -> ListStatement:
    """The statement for pages of this shape."""
    composer = _Composer(loader, shape)
    body = composer.body(composer.bounds(), backward=shape.is_backward)
    columns, order = composer.columns("p"), composer.ordering("p", backward=shape.is_backward)
    asks_around = shape.asks_previous or shape.asks_next
    if asks_around:
        # OFFSET 0: Postgres would ask it anew for each row of the page.
        around = f"SELECT {composer.previous()} AS has_previous, {composer.next()} AS has_next OFFSET 0"
        page = f"LEFT JOIN LATERAL (SELECT true AS is_row, {composer.columns('b')} FROM ({body}) b) p ON true"
        columns = f"a.has_previous, a.has_next, p.is_row, {columns}"
    if loader.is_keyed:
        joined = f"CROSS JOIN LATERAL ({around}) a {page}" if asks_around else f"CROSS JOIN LATERAL ({body}) p"
        sql = f"SELECT k.ord, {columns} FROM {composer.keys()} {joined} ORDER BY k.ord, {order}"
    elif asks_around:
        sql = f"SELECT {columns} FROM ({around}) a {page} ORDER BY {order}"
    else:
        sql = body
    return composer.finished(sql, loader.record, asks_around=asks_around)


@lru_cache(maxsize=1024)
def compose_count(loader: Page[Any], shape: Shape) -> ListStatement:
    """The statement for counts of this shape, of which only the filters matter."""
    composer = _Composer(loader, shape)
    counted = f"SELECT count(*) FROM ({composer.body([], backward=False)}) counted"
    if loader.is_keyed:
        counted = f"SELECT k.ord, ({counted}) AS value FROM {composer.keys()}"
    return composer.finished(counted, int)


class _Composer:
    """Composes one statement."""

    def __init__(self, loader: Page[Any], shape: Shape) -> None:
        self._loader = loader
        self._shape = shape
        self._order: Order = loader.orders[shape.order]
        self._slots: dict[tuple[str, Any], int] = {}
        if loader.is_keyed:
            self._parameter("keys")
        leading = self._order.terms[0].column
        given = [(name, value) for name, value in shape.filters if name in loader.filters]
        self._given = [(name, loader.filters[name], value) for name, value in given]
        self._gated: dict[str, list[str]] = {}
        for name, each, _ in self._given:
            if each.is_gated and each.column != leading:
                self._gated.setdefault(each.column, []).append(name)
        merged = [name for name, each, _ in self._given if each.operator is Operator.ANY_OF]
        self._merged = merged[0] if merged else None

    def finished(self, sql: str, record: Any, *, asks_around: bool = False) -> ListStatement:
        """The statement with this text."""
        rows = self._loader.sources[0]
        kind = Keyed if self._loader.is_keyed else Query
        return ListStatement(kind(rows.name, rows.purpose, sql, record), asks_around, tuple(self._slots))

    def keys(self) -> str:
        """The keys of the lists, numbered."""
        type = self._loader.sources[0].slots["key"]
        return f"unnest({self._parameter('keys')}::{type}[]) WITH ORDINALITY AS k (key, ord)"

    def columns(self, alias: str) -> str:
        """The columns of a record."""
        return ", ".join(f"{alias}.{name}" for name in self._loader.record.__struct_fields__)

    def ordering(self, alias: str, *, backward: bool) -> str:
        """The order of the list, or its reverse."""
        direction = " DESC" if self._shape.descending is not backward else ""
        return ", ".join(f"{term}{direction}" for term in self._terms(alias))

    def bounds(self) -> list[Callable[[str], str]]:
        """The conditions that a row is between the positions of the request."""
        return [
            *([self._bound(_AFTER, later=True)] if self._shape.has_after else []),
            *([self._bound(_BEFORE, later=False)] if self._shape.has_before else []),
        ]

    def previous(self) -> str:
        """Whether there are rows up to the position after which the page starts."""
        if not self._shape.asks_previous:
            return "false"
        return self._exists(self._bound(_AFTER, later=False, including=True), backward=True)

    def next(self) -> str:
        """Whether there are rows from the position on before which the page ends."""
        if not self._shape.asks_next:
            return "false"
        return self._exists(self._bound(_BEFORE, later=True, including=True), backward=False)

    def body(self, bounds: Sequence[Callable[[str], str]], *, backward: bool, limit: int | None = None) -> str:
        """The rows within these bounds that satisfy the filters, in order, up to the limit."""
        end = _first(limit or f"{self._parameter('limit')}::bigint")
        if self._gated:
            return self._either(bounds, backward, end)
        if self._merged is not None:
            return self._each(self._merged, bounds, backward, end)
        return self._all(lambda rows: self._scan(rows, bounds, backward, end), backward, end)

    def _exists(self, bound: Callable[[str], str], *, backward: bool) -> str:
        # Counted: for EXISTS Postgres takes whatever plan may have a first row soonest, and there may be none.
        return f"(SELECT count(*) > 0 FROM ({self.body([bound], backward=backward, limit=1)}) around)"

    def _all(self, scan: Callable[[Rows[Any]], str], backward: bool, end: str) -> str:
        return self._union([scan(rows) for rows in self._loader.sources], backward, end)

    def _union(self, scans: list[str], backward: bool, end: str) -> str:
        if len(scans) == 1:
            return scans[0]
        rows = " UNION ALL ".join(f"({scan})" for scan in scans)
        return f"SELECT {self.columns('m')} FROM ({rows}) m ORDER BY {self.ordering('m', backward=backward)} {end}"

    def _scan(
        self,
        rows: Rows[Any],
        bounds: Sequence[Callable[[str], str]],
        backward: bool,
        end: str,
        *,
        extra: Iterable[str] = (),
        without: str | None = None,
        fenced: bool = False,
    ) -> str:
        """The rows of one statement. `fenced`: they are read in the list's order, whatever the filters."""
        relation, order = self._rows(rows), self.ordering("l", backward=backward)
        within = [*(bound("l") for bound in bounds), *extra]
        gated = [name for name, each, _ in self._given if each.column in self._gated]
        within += [self._condition("l", name) for name, *_ in self._given if name not in {without, *gated}]
        if fenced and gated:
            # A limit keeps Postgres from choosing another index for the filters.
            relation = f"(SELECT l.* FROM {relation} l{_where(within)} ORDER BY {order} {_first(_ALL)})"
            within = []
        conditions = [*within, *(self._condition("l", name) for name in gated)]
        return f"SELECT {self.columns('l')} FROM {relation} l{_where(conditions)} ORDER BY {order} {end}"

    def _each(
        self,
        name: str,
        bounds: Sequence[Callable[[str], str]],
        backward: bool,
        end: str,
        *,
        extra: Iterable[str] = (),
        fenced: bool = False,
    ) -> str:
        """The lists of all values of a filter, merged."""
        given = self._loader.filters[name]
        condition = f"l.{given.column} = v.value"
        conditions = [*extra, condition]
        scans = self._all(
            lambda rows: self._scan(rows, bounds, backward, end, extra=conditions, without=name, fenced=fenced),
            backward,
            end,
        )
        values = f"unnest({self._parameter('filter', name)}::{given.type}[]) AS v (value)"
        distinct = ", ".join(self._terms("e"))
        return (
            f"SELECT DISTINCT ON ({distinct}) {self.columns('e')} FROM {values} CROSS JOIN LATERAL ({scans}) e"
            f" ORDER BY {self.ordering('e', backward=backward)} {end}"
        )

    def _either(self, bounds: Sequence[Callable[[str], str]], backward: bool, end: str) -> str:
        """The rows that satisfy the rarest of the gated filters; if that is not rare, those of the list's order."""
        columns = self._loader.record.__struct_fields__
        unique = "id" if "id" in columns else self._order.terms[-1].column
        ctes = [
            f"found_{number} AS MATERIALIZED ({self._hits(column, names, unique)})"
            for number, (column, names) in enumerate(self._gated.items())
        ]
        numbers = range(len(ctes))
        sizes = " UNION ALL ".join(f"SELECT {number}, count(*) FROM found_{number}" for number in numbers)
        ctes.append(
            f"rarest (number, size) AS MATERIALIZED (SELECT s.number, s.size FROM ({sizes}) s (number, size)"
            " ORDER BY s.size LIMIT 1)"
        )
        arrays = " ".join(f"WHEN {number} THEN ARRAY(SELECT f.id FROM found_{number} f)" for number in numbers)
        chosen = f"CASE (SELECT r.number FROM rarest r) {arrays} END"
        rare = [f"(SELECT r.size FROM rarest r) <= {RARE}", f"l.{unique} = ANY ({chosen})"]
        frequent = [f"(SELECT r.size FROM rarest r) > {RARE}"]
        scans = [self._scan(rows, bounds, backward, end, extra=rare) for rows in self._loader.sources]
        if self._merged is not None:
            scans.append(self._each(self._merged, bounds, backward, end, extra=frequent, fenced=True))
        else:
            scans += [
                self._scan(rows, bounds, backward, end, extra=frequent, fenced=True) for rows in self._loader.sources
            ]
        return f"WITH {', '.join(ctes)} {self._union(scans, backward, end)}"

    def _hits(self, column: str, names: list[str], unique: str) -> str:
        """The first rows that satisfy the filters of one column, along its index."""
        conditions = [self._condition("l", name) for name in names]
        operators = {self._loader.filters[name].operator for name in names}
        along = ""
        if operators <= _RANGES:
            along = f" ORDER BY l.{column}"
        elif operators == {Operator.STARTS_WITH}:
            along = f" ORDER BY l.{column} USING ~<~"
        scans = " UNION ALL ".join(
            f"(SELECT l.{unique} AS id FROM {self._rows(rows)} l{_where(conditions)}{along} {_first(RARE + 1)})"
            for rows in self._loader.sources
        )
        return scans if len(self._loader.sources) == 1 else f"SELECT h.id FROM ({scans}) h LIMIT {RARE + 1}"

    def _rows(self, rows: Rows[Any]) -> str:
        def fill(name: str, type: str) -> str:
            return "k.key" if name == "key" else f"{self._parameter('filter', name)}::{type}"

        return f"({rows.filled(fill)})"

    def _condition(self, alias: str, name: str) -> str:
        given = self._loader.filters[name]
        if given.operator is Operator.CONSTANT:
            value = next(value for each, value in self._shape.filters if each == name)
            assert value in given.constants
            return given.operator.value.format(column=f"{alias}.{given.column}", constant=_literal(value))
        parameter = self._parameter("filter", name)
        value = parameter if given.type is None else f"{parameter}::{given.type}[]"
        return given.operator.value.format(column=f"{alias}.{given.column}", value=value)

    def _bound(self, which: str, *, later: bool, including: bool = False) -> Callable[[str], str]:
        values = [self._parameter(which, place) for place in range(len(self._order.terms))]
        operator = ("<" if self._shape.descending is later else ">") + ("=" if including else "")
        return lambda alias: f"({', '.join(self._terms(alias))}) {operator} ({', '.join(values)})"

    def _terms(self, alias: str) -> list[str]:
        return [
            f"{alias}.{term.column}"
            if (fallback := term.fallback(descending=self._shape.descending)) is None
            else f"coalesce({alias}.{term.column}, {fallback})"
            for term in self._order.terms
        ]

    def _parameter(self, source: str, name: Any = None) -> str:
        return f"${self._slots.setdefault((source, name), len(self._slots) + 1)}"


def _first(number: int | str) -> str:
    """The first rows of an order. Postgres knows how many rows an average key has, and would read and sort all of a key
    that has far more. It does not look into a subquery: it plans for a part of the rows, and so reads along an index
    that is in order."""
    return f"LIMIT (SELECT {number})"


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _literal(value: str | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    assert value.replace("_", "").isalnum(), "a constant is a name"
    return f"'{value}'"

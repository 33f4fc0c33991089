"""Cursors of lists: each list takes those that it gave out, and nothing else."""

import base64
import zlib
from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations
from typing import Any, get_type_hints
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.declarations.cursors import MAX_CURSOR, Cursors
from app.kit.errors import InvalidInput
from app.kit.loaders import Page, page
from app.kit.sql import Query
from tests.statements import loaders_of_houses

LISTS = {name: loader for name, loader in loaders_of_houses().items() if isinstance(loader, Page)}
each_list = pytest.mark.parametrize("loader", LISTS.values(), ids=LISTS)
CURSORS = Cursors(b"k" * 32)
VALUES: dict[Any, Any] = {
    int: 2**31 - 1,
    str: "e" * 64,
    bool: True,
    Decimal: Decimal("-123456789012.123456789012"),
    UUID: UUID(int=2**127 + 1),
    datetime: datetime(2026, 11, 21, 12, 0, 0, 1, tzinfo=UTC),
}


class Row(msgspec.Struct, frozen=True):
    """Every kind of column."""

    integer: int
    text: str
    number: Decimal
    moment: datetime
    id: UUID


def listed(*order: str, name: str = "numbers", filters: tuple[str, ...] = ()) -> Page[Row]:
    return page(Query(name, "", "", Row), count=Query("count", "", "", int), order=order, filters=filters)


def record_of(loader: Page[Any]) -> Any:
    """A record with a value in each order column."""

    hints = get_type_hints(loader.query.record)
    return type(
        "Record",
        (),
        {column: VALUES[getattr(hints[column], "__args__", [hints[column]])[0]] for column in loader.order},
    )


def refused(cursors: Cursors, loader: Page[Any], cursor: str) -> bool:
    try:
        cursors.decode(loader, cursor)
    except InvalidInput as problem:
        return problem.path == ("after",)
    return False


def sealed(loader: Page[Any], body: bytes) -> str:
    """A cursor of a list, whatever it says: as by somebody who holds the key."""
    return base64.urlsafe_b64encode(CURSORS._tag(loader, body) + body).rstrip(b"=").decode()


@each_list
def test_a_list_takes_its_own_cursors_in_every_process(loader: Page[Any]) -> None:
    record = record_of(loader)
    cursor = CURSORS.encode(loader, record)
    assert Cursors(b"k" * 32).decode(loader, cursor) == tuple(getattr(record, column) for column in loader.order)
    assert len(cursor) <= MAX_CURSOR


@each_list
def test_a_list_takes_no_cursor_of_another(loader: Page[Any]) -> None:
    cursor = CURSORS.encode(loader, record_of(loader))
    assert [name for name, other in LISTS.items() if not refused(CURSORS, other, cursor)] == [
        name for name, other in LISTS.items() if other is loader
    ]


@each_list
def test_a_cursor_that_was_made_without_the_key_is_refused(loader: Page[Any]) -> None:
    record = record_of(loader)
    body = msgspec.json.encode([getattr(record, column) for column in loader.order])
    check = zlib.crc32(loader.query.name.encode() + body).to_bytes(4, "big")
    for data in (check + body, bytes(12) + body, body, b""):
        assert refused(CURSORS, loader, base64.urlsafe_b64encode(data).rstrip(b"=").decode())
    assert refused(CURSORS, loader, Cursors(b"o" * 32).encode(loader, record))


def test_lists_differ_by_statement_order_and_filters() -> None:
    lists = [
        listed("integer", "id"),
        listed("id", "integer"),
        listed("integer", "id", filters=("least",)),
        listed("integer", "id", name="others"),
    ]
    row = Row(1, "a", Decimal(1), datetime.now(UTC), UUID(int=1))
    for one, other in permutations(lists, 2):
        assert refused(CURSORS, other, CURSORS.encode(one, row))


@given(
    st.builds(
        Row,
        integer=st.integers(-(2**63), 2**63 - 1),
        text=st.text(st.characters(codec="utf-8", exclude_characters="\0")),
        number=st.decimals(allow_nan=False, allow_infinity=False),
        moment=st.datetimes(timezones=st.just(UTC)),
        id=st.uuids(),
    )
)
def test_what_a_column_holds_comes_back(row: Row) -> None:
    loader = listed("integer", "text", "number", "moment", "id")
    assert CURSORS.decode(loader, CURSORS.encode(loader, row)) == (
        row.integer,
        row.text,
        row.number,
        row.moment,
        row.id,
    )


def test_one_flipped_bit_anywhere_is_noticed() -> None:
    loader = listed("number", "id")
    row = Row(1, "a", Decimal("1.5"), datetime.now(UTC), UUID(int=1))
    data = base64.urlsafe_b64decode(CURSORS.encode(loader, row) + "==")
    for place in range(len(data) * 8):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        assert refused(CURSORS, loader, base64.urlsafe_b64encode(changed).decode())


@given(st.text())
def test_any_text_is_refused(text: str) -> None:
    assert refused(CURSORS, listed("integer"), text)


@pytest.mark.parametrize(
    ("column", "body"),
    [
        ("number", '["NaN"]'),
        ("number", '["sNaN"]'),
        ("number", '["-Infinity"]'),
        ("number", "[null]"),
        ("integer", "[9223372036854775808]"),
        ("integer", "[-9223372036854775809]"),
        ("integer", "[1e400]"),
        ("integer", "[true]"),
        ("text", r'["a\u0000b"]'),
        ("text", r'["\ud800"]'),
        ("text", "[1]"),
        ("moment", '["10000-01-01T00:00:00Z"]'),
        ("moment", '["infinity"]'),
        ("id", '["1"]'),
        ("id", "[]"),
        ("id", "{}"),
        ("id", ""),
    ],
)
def test_no_value_that_a_column_cannot_hold_passes_even_with_the_key(column: str, body: str) -> None:
    assert refused(CURSORS, listed(column), sealed(listed(column), body.encode()))

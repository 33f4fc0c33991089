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
from app.kit.lists import by, nulls_last
from app.kit.loaders import Page, page
from app.kit.sql import Rows
from tests.statements import loaders_of_houses

LISTS = {
    (name, order, descending): loader
    for name, loader in loaders_of_houses().items()
    if isinstance(loader, Page)
    for order in loader.orders
    for descending in (False, True)
}
each_list = pytest.mark.parametrize("place", LISTS, ids=lambda place: "-".join(map(str, place)))
CURSORS = Cursors(b"k" * 32)
VALUES: dict[Any, Any] = {
    int: 2**31 - 1,
    str: "e" * 64,
    bool: True,
    float: 0.1 + 0.2,
    Decimal: Decimal("-123456789012.123456789012"),
    UUID: UUID(int=2**127 + 1),
    datetime: datetime(2026, 11, 21, 12, 0, 0, 1, tzinfo=UTC),
}


class Nullable(msgspec.Struct, frozen=True):
    rank: int | None
    id: UUID


class Row(msgspec.Struct, frozen=True):
    """Every kind of column."""

    integer: int
    text: str
    number: Decimal
    moment: datetime
    id: UUID


def listed(*order: str, name: str = "numbers") -> Page[Row]:
    return page(Rows(name, "", "", Row), orders={"": by(*order)})


def encode(loader: Page[Any], record: Any, *, cursors: Cursors = CURSORS) -> str:
    return cursors.encode(loader, "", record, descending=False)


def decode(loader: Page[Any], cursor: str) -> tuple[Any, ...]:
    return CURSORS.decode(loader, "", cursor, descending=False, argument="after")


def record_of(loader: Page[Any], order: str) -> Any:
    """A record with a value in each order column."""
    hints = get_type_hints(loader.record)
    columns = loader.orders[order].columns
    return type(
        "Record", (), {column: VALUES[getattr(hints[column], "__args__", [hints[column]])[0]] for column in columns}
    )


def refused(cursors: Cursors, loader: Page[Any], cursor: str, *, order: str = "", descending: bool = False) -> bool:
    try:
        cursors.decode(loader, order, cursor, descending=descending, argument="before")
    except InvalidInput as problem:
        return problem.path == ("before",)
    return False


def sealed(loader: Page[Any], body: bytes) -> str:
    """A cursor of a list, whatever it says: as by somebody who holds the key."""
    return base64.urlsafe_b64encode(CURSORS._tag(loader, "", False, body) + body).rstrip(b"=").decode()


@each_list
def test_a_list_takes_its_own_cursors_in_every_process(place: tuple[str, str, bool]) -> None:
    (_, order, descending), loader = place, LISTS[place]
    record = record_of(loader, order)
    cursor = CURSORS.encode(loader, order, record, descending=descending)
    position = Cursors(b"k" * 32).decode(loader, order, cursor, descending=descending, argument="after")
    assert position == tuple(getattr(record, column) for column in loader.orders[order].columns)
    assert len(cursor) <= MAX_CURSOR


@each_list
def test_a_list_takes_no_cursor_of_another_list_or_order(place: tuple[str, str, bool]) -> None:
    (_, order, descending), loader = place, LISTS[place]
    cursor = CURSORS.encode(loader, order, record_of(loader, order), descending=descending)
    assert [
        other
        for other, another in LISTS.items()
        if not refused(CURSORS, another, cursor, order=other[1], descending=other[2])
    ] == [place]


@each_list
def test_a_cursor_that_was_made_without_the_key_is_refused(place: tuple[str, str, bool]) -> None:
    (_, order, descending), loader = place, LISTS[place]
    record = record_of(loader, order)
    body = msgspec.json.encode(loader.orders[order].position(record, descending=descending))
    check = zlib.crc32(loader.name.encode() + body).to_bytes(4, "big")
    cursors = [
        base64.urlsafe_b64encode(data).rstrip(b"=").decode() for data in (check + body, bytes(12) + body, body, b"")
    ]
    cursors.append(Cursors(b"o" * 32).encode(loader, order, record, descending=descending))
    for cursor in cursors:
        assert refused(CURSORS, loader, cursor, order=order, descending=descending)


def test_lists_differ_by_statement_and_order() -> None:
    lists = [listed("integer", "id"), listed("id", "integer"), listed("integer", "id", name="others")]
    row = Row(1, "a", Decimal(1), datetime.now(UTC), UUID(int=1))
    for one, other in permutations(lists, 2):
        assert refused(CURSORS, other, encode(one, row))
    assert refused(CURSORS, lists[0], encode(lists[0], row), descending=True)


def test_a_null_is_the_last_value_in_either_direction() -> None:
    loader: Page[Nullable] = page(Rows("nullable", "", "", Nullable), orders={"": by(nulls_last("rank", -1, 99), "id")})
    row = Nullable(None, UUID(int=1))
    for descending, rank in ((False, 99), (True, -1)):
        cursor = CURSORS.encode(loader, "", row, descending=descending)
        assert CURSORS.decode(loader, "", cursor, descending=descending, argument="after") == (rank, row.id)


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
    assert decode(loader, encode(loader, row)) == (
        row.integer,
        row.text,
        row.number,
        row.moment,
        row.id,
    )


def test_one_flipped_bit_anywhere_is_noticed() -> None:
    loader = listed("number", "id")
    row = Row(1, "a", Decimal("1.5"), datetime.now(UTC), UUID(int=1))
    data = base64.urlsafe_b64decode(encode(loader, row) + "==")
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

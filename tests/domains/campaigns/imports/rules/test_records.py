"""Reading rows of files, however they arrive."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.campaigns.imports.model import MAX_RECORD_CHARS, FileRefused, Record
from app.domains.campaigns.imports.rules.cells import escaped, line_of, unescaped
from app.domains.campaigns.imports.rules.records import Reader

CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00\ufeff"), max_size=6)


def read(data: bytes, size: int = 10**6, delimiter: str | None = None) -> list[Record]:
    reader, found = Reader(delimiter), list[Record]()
    for place in range(0, len(data), size):
        found += reader.feed(data[place : place + size])
    return found + reader.feed(b"", final=True)


def cells(data: bytes, size: int = 10**6) -> list[list[str]]:
    return [each.cells for each in read(data, size)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_the_size_of_parts_makes_no_difference(size: int) -> None:
    data = '\ufeffname;note\r\n"M\u00fcller; A";"a ""b"""\r\n\r\nx;"two\r\nlines"\r\rlast;\n'.encode()
    found = [(each.number, each.cells) for each in read(data, size)]
    assert found == [
        (1, ["name", "note"]),
        (2, ["M\u00fcller; A", 'a "b"']),
        (4, ["x", "two\nlines"]),
        (6, ["last", ""]),
    ]


@pytest.mark.parametrize(
    ("first", "delimiter"),
    [("a,b", ","), ("a;b", ";"), ("a\tb", "\t"), ('"a,b,c";d', ";"), ("a", ","), ("a,b;c,d", ",")],
)
def test_the_delimiter_is_that_of_the_header(first: str, delimiter: str) -> None:
    reader = Reader()
    reader.feed(f"{first}\n".encode())
    assert reader.delimiter == delimiter


def test_a_spreadsheet_may_say_what_is_between_the_cells() -> None:
    assert cells(b"sep=;\r\na,b;c\r\n1;2\r\n") == [["a,b", "c"], ["1", "2"]]
    assert [each.number for each in read(b"sep=;\na;b\n1;2\n")] == [1, 2]
    assert read(b"sep=|\na|b\n1|2\n", delimiter="|") == read(b"sep=|\na|b\n1|2\n")


@pytest.mark.parametrize("named", [b"\0", b"\xff", b"\x1f", b'"'])
def test_what_cannot_be_between_cells_is_part_of_the_header(named: bytes) -> None:
    assert [each.number for each in read(b"sep=" + named + b"\na,b\n")] == [1, 2]


@pytest.mark.parametrize("data", ["a,b\n".encode("utf-16"), "a,b\n".encode("utf-16-be"), "a\n".encode("utf-16-le")])
def test_utf_16_is_refused(data: bytes) -> None:
    with pytest.raises(FileRefused, match="UTF-8"):
        read(data)


def test_rows_that_cannot_be_read_are_named_and_take_no_others_with_them() -> None:
    data = b'a,b\n"x"y,1\nB\xfcrger,2\n5" nail,3\n"",4\n' + b"," * 300 + b"\nz,5\n"
    found = read(data)
    assert [(each.number, each.fault is None) for each in found] == [
        (1, True), (2, False), (3, False), (4, True), (5, True), (6, False), (7, True),
    ]  # fmt: skip
    assert found[3].cells == ['5" nail', "3"]


def test_a_quotation_that_is_not_closed_is_one_row_and_ends_somewhere() -> None:
    assert [each.fault is None for each in read(b'a\n"x\ny\n')] == [True, False]
    for text in ('a\n"' + "x\n" * MAX_RECORD_CHARS, "a\n" + "x" * (MAX_RECORD_CHARS + 1), '"' * 200_001):
        with pytest.raises(FileRefused):
            read(text.encode())


@given(st.lists(st.lists(CELL, min_size=2, max_size=4), min_size=1, max_size=4), st.integers(1, 9))
def test_what_python_writes_is_read(rows: list[list[str]], size: int) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([["a", "b"], *rows])
    assert cells(out.getvalue().encode(), size) == [["a", "b"], *(row for row in rows if any(row))]


@given(st.lists(CELL, min_size=2, max_size=5))
def test_what_is_written_is_read_by_python_and_by_us(values: list[str]) -> None:
    line = line_of(values)
    [row] = csv.reader(io.StringIO(line, newline=""))
    assert [unescaped(each) for each in row] == values
    if any(values):
        [record] = read(line.encode(), delimiter=",")
        assert [unescaped(each) for each in record.cells] == values


@given(st.text(st.sampled_from("'=+-@\t\r\uff1dab1"), max_size=5))
def test_no_cell_is_a_formula_and_each_is_read_back(value: str) -> None:
    cell = escaped(value)
    assert cell[:1] not in {*"=+-@\t\r\uff1d"} or cell == ""
    assert unescaped(cell) == value

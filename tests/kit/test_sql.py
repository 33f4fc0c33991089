import sys
import types
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from app.kit.sql import Command, Keyed, Query, Section, Statements, sections_of

ROWS = [(1, 7, "a"), (2, 8, "b"), (1, 9, "c")]


class Thing(msgspec.Struct, frozen=True):
    number: int
    name: str


def parse(tmp_path: Path, text: str) -> list[Section]:
    path = tmp_path / "queries.sql"
    path.write_text(text)
    return list(sections_of(path))


def declare(tmp_path: Path, annotations: dict[str, Any]) -> type[Statements]:
    """A class in a module whose folder has a file with the statements `one` and `two`."""
    (tmp_path / "things.sql").write_text(
        "-- name: one\n-- The first.\nSELECT 1;\n\n-- name: two\n-- Next.\nSELECT 2;\n"
    )
    module = ModuleType("things")
    module.__file__ = str(tmp_path / "things.py")
    sys.modules["things"] = module
    try:
        namespace = {"__module__": "things", "__annotations__": annotations}
        made: type[Statements] = types.new_class(
            "ThingSql", (Statements,), {"file": "things.sql"}, lambda body: body.update(namespace)
        )
    finally:
        del sys.modules["things"]
    return made


def test_a_file_is_a_list_of_named_statements(tmp_path: Path) -> None:
    assert parse(
        tmp_path,
        "-- name: first_one\n-- What it is for.\nSELECT 1\n  -- a remark\n  WHERE true;\n\n"
        "-- name: second\n-- Another.\nSELECT ';' AS semicolon;\n",
    ) == [
        Section("first_one", "What it is for.", "SELECT 1\n  -- a remark\n  WHERE true"),
        Section("second", "Another.", "SELECT ';' AS semicolon"),
    ]


def test_a_class_has_the_statements_of_its_file(tmp_path: Path) -> None:
    declared: Any = declare(tmp_path, {"one": Query[Thing], "two": Command})
    assert isinstance(declared.one, Query)
    assert (declared.one.name, declared.one.sql, declared.one.record) == ("one", "SELECT 1", Thing)
    assert isinstance(declared.two, Command)
    assert (declared.two.purpose, declared.two.sql) == ("Next.", "SELECT 2")
    assert declared.all == (declared.one, declared.two)


@pytest.mark.parametrize(
    ("annotations", "unlike"),
    [({"one": Command}, "two"), ({"one": Command, "two": Command, "three": Command}, "three")],
)
def test_a_class_that_differs_from_its_file_is_refused(
    tmp_path: Path, annotations: dict[str, Any], unlike: str
) -> None:
    with pytest.raises(ValueError, match=rf"things\.sql and ThingSql differ in {unlike}$"):
        declare(tmp_path, annotations)


def test_rows_are_records_tuples_or_values() -> None:
    rows: Any = [row[1:] for row in ROWS]
    assert Query("", "", "", Thing).decode(rows) == [Thing(7, "a"), Thing(8, "b"), Thing(9, "c")]
    assert Query("", "", "", tuple[int, str]).decode(rows) == [(7, "a"), (8, "b"), (9, "c")]
    assert Query("", "", "", int).decode(rows) == [7, 8, 9]
    assert Query("", "", "", int | None).decode([(None,)]) == [None]  # type: ignore[list-item]


def test_keyed_rows_belong_to_their_keys_in_the_statements_order() -> None:
    rows: Any = ROWS
    assert Keyed("", "", "", Thing).group(["x", "y", "z"], rows) == {
        "x": [Thing(7, "a"), Thing(9, "c")],
        "y": [Thing(8, "b")],
        "z": [],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT 1", "must start with"),
        ("SELECT 1;\n-- name: late\n-- What.\nSELECT 1", "must start with"),
        ("-- name: bare\nSELECT 1", "bare needs one comment line"),
        ("-- name: empty\n-- What.\n", "empty has no statement"),
        ("-- name: twice\n-- What.\nSELECT 1;\n-- name: twice\n-- What.\nSELECT 2", "named twice: twice"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(tmp_path, text)

from pathlib import Path

import pytest

from app.kit.sql import Queries, Query


def parse(tmp_path: Path, text: str) -> Queries:
    path = tmp_path / "queries.sql"
    path.write_text(text)
    return Queries(path)


def test_a_file_is_a_list_of_named_statements(tmp_path: Path) -> None:
    queries = parse(
        tmp_path,
        "-- name: first_one\n-- What it is for.\nSELECT 1\n  -- a remark\n  WHERE true;\n\n"
        "-- name: second\n-- Another.\nSELECT ';' AS semicolon;\n",
    )
    assert queries.first_one == Query("first_one", "What it is for.", "SELECT 1\n  -- a remark\n  WHERE true")
    assert [query.name for query in queries] == ["first_one", "second"]
    assert queries.second.sql == "SELECT ';' AS semicolon"


def test_an_unknown_name_says_where_it_was_sought(tmp_path: Path) -> None:
    queries = parse(tmp_path, "-- name: first\n-- What.\nSELECT 1")
    with pytest.raises(AttributeError, match=r"queries\.sql has no statement named second"):
        _ = queries.second


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

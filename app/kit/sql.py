"""Named SQL: each house keeps its statements in one `queries.sql`, and Python calls them by name.

A file is a list of sections::

    -- name: wallets_by_ids
    -- Wallets with these ids, in no order.
    SELECT ...
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_SECTION = re.compile(r"^-- name: *(?P<name>[a-z][a-z0-9_]*) *$", re.MULTILINE)


class Query(NamedTuple):
    """One statement: its name (used in metrics and errors), its purpose, its text with `$1` parameters."""

    name: str
    purpose: str
    sql: str


class Queries:
    """The statements of one file as attributes: `Q.wallets_by_ids`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._queries = {query.name: query for query in _parse(path)}

    def __getattr__(self, name: str) -> Query:
        try:
            return self._queries[name]
        except KeyError:
            raise AttributeError(f"{self.path} has no statement named {name}") from None

    def __iter__(self) -> Iterator[Query]:
        return iter(self._queries.values())


def beside(module_file: str, name: str = "queries.sql") -> Queries:
    """The statements in the file `name` in the folder of a module: `Q = beside(__file__)`."""
    return Queries(Path(module_file).with_name(name))


def _parse(path: Path) -> list[Query]:
    text = path.read_text(encoding="utf-8")
    heads = list(_SECTION.finditer(text))
    if not heads or text[: heads[0].start()].strip():
        raise ValueError(f"{path}: the file must start with a `-- name:` line")
    ends = [head.start() for head in heads[1:]] + [len(text)]
    queries = [_section(path, head["name"], text[head.end() : end]) for head, end in zip(heads, ends, strict=True)]
    names = [query.name for query in queries]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{path}: named twice: {', '.join(sorted(repeated))}")
    return queries


def _section(path: Path, name: str, body: str) -> Query:
    lines = body.strip().splitlines()
    if not lines or not lines[0].startswith("-- "):
        raise ValueError(f"{path}: {name} needs one comment line that says its purpose")
    sql = "\n".join(lines[1:]).strip().removesuffix(";")
    if not sql:
        raise ValueError(f"{path}: {name} has no statement")
    return Query(name, lines[0].removeprefix("-- ").strip(), sql)

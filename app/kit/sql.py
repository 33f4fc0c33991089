"""Named SQL: statements stand in `.sql` files, and a class next to each file declares the types of their rows.

A file is a list of sections::

    -- name: wallets_by_ids
    -- Wallets with these ids, in no order.
    SELECT ...

and its class declares each of them, with the type of its rows::

    class WalletSql(Statements, file="wallets.sql"):
        wallets_by_ids: Query[Wallet]
        wallet_of_user: Query[UUID]
        delete_wallet: Command

A row is a record, a tuple where a record would have no other use, or the value of its only column. Tests compare the
declared types with the columns that Postgres reports for a statement.
"""

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import starmap
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

import asyncpg
import msgspec

K = TypeVar("K")
R_co = TypeVar("R_co", covariant=True)

_SLOT = re.compile(r"\{(\w+)::(\w+)\}")
_SECTION = re.compile(r"^-- name: *(?P<name>[a-z][a-z0-9_]*) *$", re.MULTILINE)


class Statement(msgspec.Struct, frozen=True, eq=False):
    """One statement: its name (used in metrics and errors), its purpose, its text with `$1` parameters."""

    name: str
    purpose: str
    sql: str


class Command(Statement, frozen=True, eq=False):
    """A statement whose rows, if any, are not read."""


class Query(Statement, Generic[R_co], frozen=True, eq=False):
    """A statement that returns rows."""

    record: Any

    def decode(self, rows: "Iterable[asyncpg.Record]") -> list[R_co]:
        """Converts the rows that Postgres sends to records."""
        return decode(self.record, rows)


class Keyed(Query[R_co], frozen=True, eq=False):
    """Rows for many keys at once: `$1` is an array of keys, the first column is the 1-based position of a row's key."""

    def group(self, keys: Sequence[K], rows: "Sequence[asyncpg.Record]") -> dict[K, list[R_co]]:
        """What belongs to each key, in the statement's order."""
        found: list[list[R_co]] = [[] for _ in keys]
        for row, record in zip(rows, decode(self.record, (row[1:] for row in rows)), strict=True):
            found[row[0] - 1].append(record)
        return dict(zip(keys, found, strict=True))


class Rows(Statement, Generic[R_co], frozen=True, eq=False):
    """All rows of a list. It is never run as it is: pages are composed over it (see `app/kit/lists.py`).

    `{key::text}` stands for the key of the list, of this type; any other name for a value that the statement needs.
    """

    record: Any

    @property
    def slots(self) -> dict[str, str]:
        """The names in the text and their types, in the order of their first appearance."""
        return dict(_SLOT.findall(self.sql))

    def filled(self, fill: Callable[[str, str], str]) -> str:
        """The text with what `fill` returns for each name and type."""
        return _SLOT.sub(lambda match: fill(match[1], match[2]), self.sql)


def decode(record: Any, rows: Iterable[Any]) -> list[Any]:
    """Rows as records."""
    return _decoder(record)(rows)


@cache
def _decoder(record: Any) -> Callable[[Iterable[Any]], list[Any]]:
    if get_origin(record) is tuple:
        return lambda rows: list(map(tuple, rows))
    if isinstance(record, type) and issubclass(record, msgspec.Struct):
        return lambda rows: list(starmap(record, rows))
    if record is asyncpg.Record:
        return list
    return lambda rows: [row[0] for row in rows]


class Section(NamedTuple):
    """A statement as it stands in a file."""

    name: str
    purpose: str
    sql: str


class Statements:
    """The statements of one file as attributes. A file and its class name the same statements, or importing fails."""

    path: ClassVar[Path]
    all: ClassVar[tuple[Statement, ...]]

    def __init_subclass__(cls, *, file: str) -> None:
        """Reads the file, which is in the folder of the class's module."""
        cls.path = Path(str(sys.modules[cls.__module__].__file__)).with_name(file)
        declared = {name: hint for name, hint in get_type_hints(cls).items() if name not in {"path", "all"}}
        sections = {section.name: section for section in sections_of(cls.path)}
        if unlike := declared.keys() ^ sections.keys():
            raise ValueError(f"{cls.path} and {cls.__qualname__} differ in {', '.join(sorted(unlike))}")
        for name, hint in declared.items():
            setattr(cls, name, _statement(hint, sections[name]))
        cls.all = tuple(getattr(cls, name) for name in declared)


def _statement(hint: Any, section: Section) -> Statement:
    if hint is Command:
        return Command(*section)
    kind: type[Query[Any]] = get_origin(hint)
    return kind(*section, *get_args(hint))


def sections_of(path: Path) -> Sequence[Section]:
    """The statements in a file. Raises ValueError."""
    text = path.read_text(encoding="utf-8")
    heads = list(_SECTION.finditer(text))
    if not heads or text[: heads[0].start()].strip():
        raise ValueError(f"{path}: the file must start with a `-- name:` line")
    ends = [head.start() for head in heads[1:]] + [len(text)]
    found = [_section(path, head["name"], text[head.end() : end]) for head, end in zip(heads, ends, strict=True)]
    names = [section.name for section in found]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{path}: named twice: {', '.join(sorted(repeated))}")
    return found


def _section(path: Path, name: str, body: str) -> Section:
    lines = body.strip().splitlines()
    if not lines or not lines[0].startswith("-- "):
        raise ValueError(f"{path}: {name} needs one comment line that says its purpose")
    sql = "\n".join(lines[1:]).strip().removesuffix(";")
    if not sql:
        raise ValueError(f"{path}: {name} has no statement")
    return Section(name, lines[0].removeprefix("-- ").strip(), sql)


def columns_of(rows: Sequence[tuple[Any, ...]], width: int = 0) -> list[list[Any]]:
    """Rows as the arrays of their columns, as `unnest` takes them. `width` is how many there are if there is no row."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]

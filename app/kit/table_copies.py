"""Copies of tables whose columns nobody knows before: those of another program, in a schema of their own."""

import csv
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO, Any, Final

import asyncpg

from app.kit.errors import Problem, Unavailable
from app.kit.postgres import CONNECTION_ERRORS, end_session, public

_NULL: Final = "\\N"
_CONNECT_S: Final = 10.0
_LARGEST_FIELD: Final = 1 << 28


class NoSuchTable(Problem):
    """There is no such table."""


class TableCopy:
    """The rows of a table, in no order. They can be read more than once."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def rows(self) -> Iterator[dict[str, str | None]]:
        """Each row: its columns as Postgres writes them, times in UTC."""
        csv.field_size_limit(_LARGEST_FIELD)
        self._file.seek(0)
        lines = csv.reader(line.decode() for line in self._file)
        names = next(lines, [])
        for values in lines:
            yield {name: None if value == _NULL else value for name, value in zip(names, values, strict=True)}

    def count(self) -> int:
        """How many there are."""
        return sum(1 for _ in self.rows())


async def copy_tables(url: str, schema: str, needed: Sequence[str], others: Sequence[str]) -> dict[str, TableCopy]:
    """The tables of a schema, all as they are at one moment, by their names. Of the others those that there are.
    Raises NoSuchTable for one that is needed, and Unavailable.
    """
    try:
        connection: Any = await asyncpg.connect(url, timeout=_CONNECT_S, server_settings={"timezone": "UTC"})
    except (*CONNECTION_ERRORS, ValueError) as error:
        raise Unavailable(f"Postgres at {public(url)} cannot be used: {error or type(error).__name__}") from error
    copies = {}
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            for name in (*needed, *others):
                file = tempfile.TemporaryFile()  # noqa: SIM115  # it is read later
                try:
                    async with connection.transaction():
                        await connection.copy_from_table(
                            name, schema_name=schema, output=file, format="csv", header=True, null=_NULL
                        )
                except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError) as error:
                    if name in needed:
                        raise NoSuchTable(f"There is no table {schema}.{name}.") from error
                    continue
                copies[name] = TableCopy(file)
    finally:
        end_session(connection)
    return copies

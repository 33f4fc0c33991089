"""Every named statement is one that Postgres accepts, and gives the rows that are declared of it."""

import importlib
import pkgutil
import re
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import asyncpg
import msgspec
import pytest
import pytest_asyncio

import app
from app.kit.list_statements import compose_count, compose_page
from app.kit.loaders import Page
from app.kit.sql import Keyed, Query, Rows, Statements
from tests.databases import Owner, new_database
from tests.lists import shapes
from tests.statements import loaders_of_houses

for found in pkgutil.walk_packages(app.__path__, "app."):
    if found.name != "app.__main__":
        importlib.import_module(found.name)

CLASSES = {declared.path: declared for declared in Statements.__subclasses__()}
STATEMENTS = {f"{declared.__name__}.{one.name}": one for declared in CLASSES.values() for one in declared.all}
FILES = set(Path(app.__path__[0]).rglob("*.sql"))

TYPES: dict[str, type] = {
    "bool": bool,
    "bytea": bytes,
    "date": date,
    "float8": float,
    "int2": int,
    "int4": int,
    "int8": int,
    "numeric": Decimal,
    "text": str,
    "timestamptz": datetime,
    "uuid": UUID,
    "varchar": str,
    "void": NoneType,
}


def test_every_file_has_its_class() -> None:
    assert set(CLASSES) == FILES


def test_rows_of_four_columns_or_more_have_names() -> None:
    queries = {name: each for name, each in STATEMENTS.items() if isinstance(each, Query)}
    assert [
        name for name, each in queries.items() if get_origin(each.record) is tuple and len(get_args(each.record)) > 3
    ] == []


LISTS = {name: loader for name, loader in loaders_of_houses().items() if isinstance(loader, Page)}


def test_every_list_has_statements_of_its_own() -> None:
    """The name of a list is part of its cursors."""
    names = [loader.name for loader in LISTS.values()]
    assert len(set(names)) == len(names)
    used = {rows.name for loader in LISTS.values() for rows in loader.sources}
    assert used == {each.name for each in STATEMENTS.values() if isinstance(each, Rows)}


@pytest_asyncio.fixture(scope="module")
async def owner(template_url: str, administrator: Owner) -> AsyncIterator[Owner]:
    """One connection for all tests here: they only prepare."""
    async with new_database(template_url, administrator) as url:
        settings = {"default_transaction_read_only": "on"}
        # Tests deallocate what is prepared, and asyncpg would still take what it keeps for prepared.
        connection = await asyncpg.connect(url, server_settings=settings, statement_cache_size=0)
        yield connection
        await connection.close()


@pytest.mark.parametrize("name", LISTS)
async def test_postgres_prepares_every_shape_of_every_list(name: str, owner: Owner) -> None:
    loader = LISTS[name]
    # Choices of more filters are the same conditions side by side.
    for shape in shapes(loader, most=1 if len(loader.filters) > 8 else 2):
        composed = compose_page(loader, shape)
        columns = (await owner.prepare(composed.query.sql)).get_attributes()
        extra = int(loader.is_keyed) + (3 if composed.asks_around else 0)
        expected = fields_of(loader.record)
        assert [column.name for column in columns[extra:]] == [field for field, _ in expected]
        for column, (_, hint) in zip(columns[extra:], expected, strict=True):
            assert fits(column.type, hint), f"{column.name} is {column.type.name}, not {hint}"
        for statement in (composed, compose_count(loader, shape)):
            await owner.execute("DEALLOCATE ALL")
            assert len((await owner.prepare(statement.query.sql)).get_parameters()) == len(statement.slots)


@pytest.mark.parametrize("name", [name for name, each in STATEMENTS.items() if not isinstance(each, Rows)])
async def test_postgres_prepares_every_statement(name: str, owner: Owner) -> None:
    statement = STATEMENTS[name]
    assert "SELECT *" not in statement.sql.upper()
    columns = (await owner.prepare(statement.sql)).get_attributes()
    if isinstance(statement, Query):
        expected = columns_of(statement)
        assert len(columns) == len(expected)
        for column, (attribute, hint) in zip(columns, expected, strict=True):
            assert attribute in {None, column.name}
            assert fits(column.type, hint), f"{column.name} is {column.type.name}, not {hint}"


# Postgres takes a parameter's type from where it stands first. Beside a whole number that is an integer, and the number
# that is given loses its decimals without a word, whatever it is cast to further on.
CAST = re.compile(r"\$(\d+)::(double precision|\w+(?:\[\])?)")
BESIDE = r"(?:[<>=+*/-]|<>|<=|>=|!=|IS(?: NOT)? DISTINCT FROM)"
BARE = re.compile(
    rf"\$\d+\s*{BESIDE}\s*\d|(?<![\w$])\d+\s*{BESIDE}\s*\$\d+(?!\d|::)"
    r"|(?:coalesce|nullif|greatest|least)\(\s*(?:\$\d+\s*,\s*\d|\d+\s*,\s*\$\d+(?!\d|::))",
    re.IGNORECASE,
)


async def cut_parameters(owner: Owner, sql: str) -> list[str]:
    """The parameters that are of another type than the one that they are cast to, or of one that nothing says."""
    text = re.sub(r"--[^\n]*", "", sql)
    types = (await owner.prepare(sql)).get_parameters()
    found = [match.group() for match in BARE.finditer(text)]
    for number, cast in CAST.findall(text):
        if await owner.fetchval("SELECT $1::text::regtype::oid", cast) != types[int(number) - 1].oid:
            found.append(f"${number} is {types[int(number) - 1].name}, not {cast}")
    return found


async def test_every_parameter_is_of_the_type_that_it_is_cast_to(owner: Owner) -> None:
    found = {
        name: cut
        for name, each in STATEMENTS.items()
        if not isinstance(each, Rows) and (cut := await cut_parameters(owner, each.sql))
    }
    assert found == {}


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE cash_balances SET balance = balance + $1::numeric WHERE $1 > 0",
        "UPDATE cash_balances SET balance = $1::numeric WHERE 0 < $1",
        "SELECT coalesce($1, 0)",
        "SELECT greatest(0, $1)",
        "SELECT $1 * 2",
        "SELECT 100 - $1",
        "SELECT $1::bigint, $1::numeric",
    ],
)
async def test_a_parameter_that_would_be_cut_is_found(owner: Owner, sql: str) -> None:
    assert await cut_parameters(owner, sql)


def columns_of(query: Query[Any]) -> Sequence[tuple[str | None, Any]]:
    """What is declared of the columns: their names, where those matter, and their types."""
    record, ordinal = query.record, [("ord", int)] if isinstance(query, Keyed) else []
    if get_origin(record) is tuple:
        return [*ordinal, *((None, hint) for hint in get_args(record))]
    if isinstance(record, type) and issubclass(record, msgspec.Struct):
        return [*ordinal, *fields_of(record)]
    return [*ordinal, (None, record)]


def fields_of(record: type[msgspec.Struct]) -> list[tuple[str, Any]]:
    """The names and types of a record's fields."""
    hints = get_type_hints(record)
    return [(field.name, hints[field.name]) for field in msgspec.structs.fields(record)]


def fits(column: asyncpg.Type, hint: Any) -> bool:
    """Whether values of a column's type are what is declared."""
    if hint is Any or column.name in {"json", "jsonb"}:
        return True
    if get_origin(hint) in {Union, UnionType}:
        return all(part is NoneType or fits(column, part) for part in get_args(hint))
    if get_origin(hint) is Literal:
        return all(fits(column, type(value)) for value in get_args(hint))
    if column.kind == "array":
        return get_origin(hint) is list or hint is list
    declared = TYPES[column.name]
    return isinstance(hint, type) and (hint is declared or (issubclass(hint, Enum) and issubclass(hint, declared)))


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_sorted_by_columns_of_their_records(name: str) -> None:
    columns = {field for field, _ in fields_of(LISTS[name].record)}
    for order in LISTS[name].orders.values():
        assert set(order.columns) <= columns

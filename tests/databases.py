"""One migrated template a worker, templates made from it, and clones of either."""

import contextlib
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import NamedTuple, TypeAlias

import asyncpg

from app.kit.migrate import migrate
from tests.keys import KEYS

Owner: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
"""A connection that row-level security does not bind."""

TEMPLATE = "moneta_template"
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PRESENT = "CREATE OR REPLACE FUNCTION present_moment() RETURNS timestamptz LANGUAGE sql AS $$ SELECT {} $$"

_numbers = itertools.count(1)


def next_number() -> int:
    """A number that no other database of this worker has in its name."""
    return next(_numbers)


def in_database(url: str, name: str) -> str:
    """The same server, another database."""
    return f"{url.rpartition('/')[0]}/{name}"


async def make_template(url: str) -> None:
    """The template, at the newest revision."""
    await _administer(url, f"CREATE DATABASE {TEMPLATE}")
    await migrate(in_database(url, TEMPLATE))
    # Migrations make partitions from the present month on; the tests' clock stands in a month that will have passed.
    await _administer(in_database(url, TEMPLATE), f"SELECT maintain_partitions('{NOON.isoformat()}')")
    # The tests' clock goes on by days and months, and nothing may be dated later than the database's. Tests of that
    # very bound give it back its own, with `honest_database`.
    await _administer(in_database(url, TEMPLATE), PRESENT.format("greatest(clock_timestamp(), '2028-01-01Z')"))


async def _administer(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def clone(administrator: Owner, name: str, template: str = TEMPLATE) -> None:
    """Makes a copy of a database that nobody is connected to."""
    await administrator.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")


class Template(NamedTuple):
    """What a database is a copy of, and how many of its users have keys."""

    name: str = TEMPLATE
    users: int = 0


@contextlib.asynccontextmanager
async def new_database(url: str, administrator: Owner, template: Template = Template()) -> AsyncIterator[str]:
    """The owner's URL of a copy, which is dropped at the end."""
    name = f"moneta_test_{next_number()}"
    KEYS.restart(template.users)
    await clone(administrator, name, template.name)
    yield in_database(url, name)
    await administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")

"""Every named statement is one that Postgres accepts, and fits the record that it fills."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

import app
from app.kit.loading import Many, One, Page
from app.kit.sql import Queries, Query

FILES = sorted(Path(app.__path__[0]).rglob("*.sql"))


def loaders() -> Iterator[tuple[str, One[Any] | Many[Any] | Page[Any]]]:
    for name in ("app.domains.accounts.loaders", "app.domains.ledger.loaders", "app.domains.market.loaders"):
        for attribute, value in vars(importlib.import_module(name)).items():
            if isinstance(value, One | Many | Page):
                yield f"{name}.{attribute}", value


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(app.__path__[0])))
async def test_postgres_prepares_every_statement(path: Path, owner: "asyncpg.Connection[asyncpg.Record]") -> None:
    for query in Queries(path):
        assert "SELECT *" not in query.sql.upper(), query.name
        await owner.prepare(query.sql)


async def test_loaders_fill_their_records(owner: "asyncpg.Connection[asyncpg.Record]") -> None:
    for name, loader in loaders():
        columns = await _columns(owner, loader.query)
        keyed = isinstance(loader, Many) or (isinstance(loader, Page) and loader.keyed)
        expected = [field.name for field in msgspec.structs.fields(loader.record)]
        assert columns == (["ord", *expected] if keyed else expected), name
        if isinstance(loader, Page):
            assert set(loader.order) <= set(expected), name


async def _columns(owner: "asyncpg.Connection[asyncpg.Record]", query: Query) -> list[str]:
    return [attribute.name for attribute in (await owner.prepare(query.sql)).get_attributes()]

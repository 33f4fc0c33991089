"""Statements that tests bring, and those of the houses."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import asyncpg

import app.domains
from app import main
from app.kit.loaders import Many, One, Page
from app.kit.sql import Query
from app.kit.transaction import Executor


def statement(name: str, purpose: str, sql: str) -> Query[Any]:
    """A statement whose rows are as asyncpg gives them."""
    return Query(name, purpose, sql, asyncpg.Record)


async def value_of(executor: Executor, query: Query[Any], *args: object) -> Any:
    """The first column of the first row, or None."""
    row = await executor.fetch_one(query, *args)
    return None if row is None else row[0]


def modules_of_houses(name: str) -> Iterator[ModuleType]:
    """Every module of this name in the houses: `loaders`, `statements`."""
    for found in pkgutil.walk_packages(app.domains.__path__, "app.domains."):
        if found.name.rpartition(".")[2] == name:
            yield importlib.import_module(found.name)


def loaders_of_houses() -> dict[str, One[Any] | Many[Any] | Page[Any]]:
    """Every loader, under its module's name and its own: `market.tokens.token_by_symbol`."""
    return {
        f"{module.__name__.removeprefix('app.domains.').removesuffix('.loaders')}.{name}": loader
        for house in main.DOMAINS
        for module in house.loaders
        for name, loader in vars(module).items()
        if isinstance(loader, One | Many | Page)
    }

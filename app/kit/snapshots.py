"""Which snapshots a request reads from, and the external results it waits for between them."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from enum import Enum, auto
from typing import Any

import asyncpg

from app.kit.db import Database, Executor, Scope
from app.kit.errors import Unavailable
from app.kit.sql import Statement


class SnapshotMode(Enum):
    """Which snapshots a request reads from."""

    AS_DECLARED = auto()
    """Public loads in autocommit; the first scoped one opens a snapshot, in which everything is read from then on."""
    SINGLE = auto()
    """Everything in one snapshot."""
    PER_STATEMENT = auto()
    """Each statement in a snapshot of its own: no connection is held in between."""


class ResultPending(Unavailable):
    """Something that this needs is being made. Try again shortly."""


class ExternalResults:
    """Results that others make for a request, with connections of their own. They outlive its repetitions."""

    def __init__(self) -> None:
        self._made: dict[Hashable, Any] = {}
        self._due: dict[Hashable, Callable[[], Awaitable[Any]]] = {}

    def get(self, key: Hashable, make: Callable[[], Awaitable[Any]]) -> Any:
        """Returns the result under `key`. Raises what making it has raised, and ResultPending where it is due now.

        It must then be waited for with no connection held, and the request repeated.
        """
        if key not in self._made:
            self._due[key] = make
            raise ResultPending
        if isinstance(made := self._made[key], BaseException):
            raise made
        return made

    async def make(self) -> bool:
        """Makes all results that are due, at once. Returns False where none were."""
        due, self._due = self._due, {}
        made = await asyncio.gather(*(make() for make in due.values()), return_exceptions=True)
        self._made.update(zip(due, made, strict=True))
        return bool(due)


class StatementSnapshots(Executor):
    """Statements under a scope, each in a snapshot of its own, one after the other."""

    def __init__(self, database: Database, scope: Scope) -> None:
        self._database = database
        self._scope = scope
        self._turn = asyncio.Lock()

    async def rows(self, statement: Statement, *args: object) -> "list[asyncpg.Record]":
        """All rows, as Postgres sends them."""
        async with self._turn:
            return await self._database.read(self._scope, lambda tx: tx.rows(statement, *args))

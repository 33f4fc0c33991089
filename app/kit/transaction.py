"""What runs statements: a connection outside the pool, or a transaction."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import asyncpg
import structlog

from app.kit.postgres import FAILURES, Connection, Failures
from app.kit.sql import Command, Keyed, Query, Statement
from app.kit.work import count_statement

K = TypeVar("K")
R = TypeVar("R")

log = structlog.get_logger(__name__)


class Executor(ABC):
    """Anything that runs named statements: the pool in autocommit, a snapshot, a transaction."""

    @abstractmethod
    async def rows(self, statement: Statement, *args: object) -> "list[asyncpg.Record]":
        """All rows, as Postgres sends them."""

    async def fetch(self, query: Query[R], *args: object) -> list[R]:
        """All rows."""
        return query.decode(await self.rows(query, *args))

    async def fetch_one(self, query: Query[R], *args: object) -> R | None:
        """The first row, or None."""
        rows = await self.rows(query, *args)
        return query.decode(rows[:1])[0] if rows else None

    async def fetch_keyed(self, query: Keyed[R], keys: Sequence[K], *args: object) -> dict[K, list[R]]:
        """The rows of each key."""
        return query.group(keys, await self.rows(query, keys, *args))


class UnpooledConnection(Executor):
    """Statements on a connection outside the pool, in autocommit. Raises what asyncpg raises."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def rows(self, statement: Statement, *args: object) -> "list[asyncpg.Record]":
        """All rows, as Postgres sends them."""
        return await self.connection.fetch(statement.sql, *args)

    async def execute(self, command: Command, *args: object) -> None:
        """Runs a command."""
        await self.connection.execute(command.sql, *args)


class Tx(Executor):
    """Statements on one connection, inside one transaction. Several readers may share it; they take turns."""

    def __init__(self, connection: Connection, failures: Failures = FAILURES) -> None:
        self._failures = failures
        self._connection: Connection | None = connection
        self._turn = asyncio.Lock()
        self._after_commit: list[Callable[[], Awaitable[None]]] = []
        self.cut_off = False
        """Whether a statement was cancelled half way: the state of the connection is then unknown."""

    @asynccontextmanager
    async def borrow(self) -> AsyncIterator[Connection]:
        """The connection itself, for one statement of a library that brings its own SQL."""
        count_statement()
        async with self._turn:
            if self._connection is None:
                raise RuntimeError("this transaction has ended")
            with self.uncut():
                yield self._connection

    @contextmanager
    def uncut(self) -> Iterator[None]:
        """Around a statement: its failures become problems, and it is noted if it is cancelled half way."""
        try:
            with self._failures:
                yield
        except asyncio.CancelledError:
            self.cut_off = True
            raise

    async def rows(self, statement: Statement, *args: object) -> "list[asyncpg.Record]":
        """All rows, as Postgres sends them."""
        async with self.borrow() as connection:
            return await connection.fetch(statement.sql, *args)

    async def execute(self, statement: Statement, *args: object) -> int:
        """Runs a statement; returns how many rows it touched."""
        async with self.borrow() as connection:
            status = await connection.execute(statement.sql, *args)
        tail = status.rpartition(" ")[2]
        return int(tail) if tail.isdigit() else 0

    async def copy(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Adds many rows at once with COPY, which Postgres does not support under row-level security."""
        async with self.borrow() as connection:
            await connection.copy_records_to_table(table, records=rows, columns=columns)

    def after_commit(self, action: Callable[[], Awaitable[None]]) -> None:
        """Runs `action` once the transaction is durable; it is best effort, and never fails the write."""
        self._after_commit.append(action)

    def end(self) -> None:
        """Refuses further statements."""
        self._connection = None

    async def committed(self) -> None:
        """Runs the actions of `after_commit`."""
        for action in self._after_commit:
            try:
                await action()
            except Exception:
                log.exception("db.after_commit_failed")

"""Postgres: one pool, scoped snapshots to read from, transactions to write in."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, Protocol, Self, TypeAlias, TypeVar

import asyncpg
import msgspec
import structlog
from asyncpg.pool import PoolConnectionProxy

from app.kit.errors import Unavailable
from app.kit.scope import PUBLIC, SYSTEM, Scope
from app.kit.sql import Query

__all__ = ["PUBLIC", "SYSTEM", "Database", "Executor", "Scope", "StatementCount", "Tx", "statement_count"]

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
T = TypeVar("T")

_RETRIES = 8
_RETRYABLE = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
# The server or the way to it is gone. The caller is told to try again; nothing of the statement may be assumed.
_UNREACHABLE = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    # What asyncpg says of a statement that meets the loss of its connection half way.
    asyncpg.InternalClientError,
    OSError,
)
# asyncpg has one class for these and for its misuse, and misuse must stay visible.
_CLOSED = (
    "connection is closed",
    "connection has been released back to the pool",  # as soon as it is found to be lost
    "pool is closing",
    "pool is closed",
)
_ROLLBACK_TIMEOUT_S = 5.0
# What a cancelled statement gets to end on the server before its connection is closed.
_RELEASE_TIMEOUT_S = 2.0

log = structlog.get_logger(__name__)


class StatementCount:
    """How many statements ran on behalf of one request."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


statement_count: ContextVar[StatementCount | None] = ContextVar("statement_count", default=None)


def _count() -> None:
    if counter := statement_count.get():
        counter.value += 1


class Executor(Protocol):
    """Anything that runs named statements: the pool in autocommit, a snapshot, a transaction."""

    async def fetch(self, query: Query, *args: object) -> list[asyncpg.Record]:
        """All rows."""
        ...

    async def fetch_one(self, query: Query, *args: object) -> asyncpg.Record | None:
        """The first row, or None."""
        ...


class Tx:
    """Statements on one connection, inside one transaction. Several readers may share it; they take turns."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Connection | None = connection
        self._turn = asyncio.Lock()
        self._after_commit: list[Callable[[], Awaitable[None]]] = []

    @asynccontextmanager
    async def borrow(self) -> AsyncIterator[Connection]:
        """The connection itself, for one statement of a library that brings its own SQL."""
        _count()
        async with self._turn:
            if self._connection is None:
                raise RuntimeError("this transaction has ended")
            with _reachable():
                yield self._connection

    async def fetch(self, query: Query, *args: object) -> list[asyncpg.Record]:
        """All rows."""
        async with self.borrow() as connection:
            return await connection.fetch(query.sql, *args)

    async def fetch_one(self, query: Query, *args: object) -> asyncpg.Record | None:
        """The first row, or None."""
        async with self.borrow() as connection:
            return await connection.fetchrow(query.sql, *args)

    async def fetch_value(self, query: Query, *args: object) -> Any:
        """The first column of the first row, or None."""
        row = await self.fetch_one(query, *args)
        return None if row is None else row[0]

    async def execute(self, query: Query, *args: object) -> int:
        """Runs a statement; returns how many rows it touched."""
        async with self.borrow() as connection:
            status = await connection.execute(query.sql, *args)
        tail = status.rpartition(" ")[2]
        return int(tail) if tail.isdigit() else 0

    async def copy(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Adds many rows at once with COPY, which row-level security must not guard."""
        async with self.borrow() as connection:
            await connection.copy_records_to_table(table, records=rows, columns=columns)

    def after_commit(self, action: Callable[[], Awaitable[None]]) -> None:
        """Runs `action` once the transaction is durable; it is best effort, and never fails the write."""
        self._after_commit.append(action)

    def _end(self) -> None:
        self._connection = None

    async def _committed(self) -> None:
        for action in self._after_commit:
            try:
                await action()
            except Exception:
                log.exception("db.after_commit_failed")


class Database:
    """The pool. Nothing is ever set on a session, only in a transaction, so a release needs no reset round trip."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self.pool = pool

    @classmethod
    async def open(cls, url: str, *, role: str | None, size: int, timeout_s: float, name: str = "moneta") -> Self:
        """Connects. Raises Unavailable with one clear line when the server does not answer or refuses us."""
        server_settings = {
            "application_name": name,
            "timezone": "UTC",
            "jit": "off",
            "standard_conforming_strings": "on",
        }
        # A client that is cut off without a word must not keep its locks for hours, the relay's least of all.
        server_settings |= {"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3"}
        if role:
            server_settings["role"] = role
        try:
            pool = await asyncpg.create_pool(
                url,
                min_size=min(2, size),
                max_size=size,
                timeout=timeout_s,
                command_timeout=60.0,
                init=_init,
                reset=_no_reset,
                server_settings=server_settings,
            )
        except (*_UNREACHABLE, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            raise Unavailable(f"Postgres at {_public(url)} cannot be used: {error or type(error).__name__}") from error
        return cls(pool)

    async def close(self) -> None:
        """Lets running statements finish for a moment, then closes every connection."""
        try:
            await asyncio.wait_for(self.pool.close(), timeout=5.0)
        except TimeoutError:
            self.pool.terminate()

    async def fetch(self, query: Query, *args: object) -> list[asyncpg.Record]:
        """All rows of a public statement, in autocommit."""
        _count()
        async with self._connection() as connection:
            return await connection.fetch(query.sql, *args)

    async def fetch_one(self, query: Query, *args: object) -> asyncpg.Record | None:
        """The first row of a public statement, in autocommit, or None."""
        _count()
        async with self._connection() as connection:
            return await connection.fetchrow(query.sql, *args)

    @asynccontextmanager
    async def snapshot(self, scope: Scope) -> AsyncIterator[Tx]:
        """A REPEATABLE READ READ ONLY transaction: all that it reads belongs to one moment."""
        async with self._transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", scope, _rollback) as tx:
            yield tx

    async def write(self, scope: Scope, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Runs `work` in one READ COMMITTED transaction and commits it.

        On a deadlock or a serialisation failure the whole of `work` runs again, a bounded number of times; it must
        therefore have no effect but its SQL.
        """
        for attempt in range(1, _RETRIES + 1):
            try:
                async with self._transaction("BEGIN", scope, _commit) as tx:
                    result = await work(tx)
            except _RETRYABLE as error:
                if attempt == _RETRIES:
                    raise Unavailable("Too many writes met in one place. Try again shortly.") from error
                await asyncio.sleep(random.uniform(0, 0.005 * 2**attempt))
            else:
                await tx._committed()
                return result
        raise AssertionError("unreachable")

    @asynccontextmanager
    async def _transaction(
        self, begin: str, scope: Scope, end: Callable[[Connection], Awaitable[None]]
    ) -> AsyncIterator[Tx]:
        with _reachable():
            connection = await self.pool.acquire()
        tx = Tx(connection)
        try:
            with _reachable():
                await connection.execute("; ".join(part for part in (begin, scope.settings()) if part))
            yield tx
            with _reachable():
                await end(connection)
        except BaseException:
            await _uninterrupted(_rollback(connection))
            raise
        finally:
            tx._end()
            await self._release(connection)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        with _reachable():
            connection = await self.pool.acquire()
            try:
                yield connection
            finally:
                await self._release(connection)

    async def _release(self, connection: "PoolConnectionProxy[asyncpg.Record]") -> None:
        # Without a timeout, who cancels a statement waits for a server that hangs. With one the pool closes the
        # connection when it is over, and says so.
        with contextlib.suppress(TimeoutError):
            await self.pool.release(connection, timeout=_RELEASE_TIMEOUT_S)


async def _commit(connection: Connection) -> None:
    if await connection.execute("COMMIT") != "COMMIT":
        # Postgres rolls back, without an error, a transaction in which somebody swallowed one.
        raise asyncpg.InFailedSQLTransactionError("a statement failed, and its error was not passed on")


async def _rollback(connection: Connection) -> None:
    try:
        # A lost connection has no transaction left to roll back.
        if not connection.is_closed():
            await connection.execute("ROLLBACK", timeout=_ROLLBACK_TIMEOUT_S)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        end_session(connection)


def end_session(connection: Connection) -> None:
    """Closes a connection at once, with whatever its session holds; the pool makes another when it needs one."""
    # A connection that was lost has left the pool, and its proxy says so by raising.
    with contextlib.suppress(asyncpg.InterfaceError):
        connection.terminate()


async def _uninterrupted(work: Coroutine[Any, Any, None]) -> None:
    """Waits for `work` however often the caller is cancelled meanwhile; the caller is failing as it is."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    task.result()


class _reachable:  # noqa: N801  # reads as a statement: `with _reachable():`
    """Turns a lost or refused connection into Unavailable."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, _UNREACHABLE) or (
            isinstance(error, asyncpg.InterfaceError) and str(error).endswith(_CLOSED)
        ):
            raise Unavailable("The database does not answer. Try again shortly.") from error


async def _init(connection: Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),
        decoder=lambda data: msgspec.json.decode(data[1:]),
        format="binary",
    )


async def _no_reset(connection: Connection) -> None:
    """asyncpg has rolled back what was left open; there is no session state to clear."""


def _public(url: str) -> str:
    """The URL without its user and password, wherever it holds them."""
    scheme, _, rest = url.partition("?")[0].partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"

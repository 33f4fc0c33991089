"""Postgres: one pool, scoped snapshots to read from, transactions to write in."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Hashable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Self, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from app.kit.admission import Admission
from app.kit.errors import Problem, Repeatable, Unavailable
from app.kit.postgres import (
    CONNECTION_ERRORS,
    FAILURES,
    FAILURES_OF_READS,
    Collision,
    Connection,
    Failures,
    check_role,
    discard,
    end_session,
    public,
    server_settings,
    set_codecs,
)
from app.kit.scope import PUBLIC, SYSTEM, Scope
from app.kit.sql import Statement
from app.kit.transaction import Executor, Tx
from app.kit.work import begin_transaction, count_statement, current_work

__all__ = ["PUBLIC", "SYSTEM", "Database", "Executor", "Scope", "Tx"]

T = TypeVar("T")

_RETRIES = 8
# On its second attempt, a request that collided with another reads what the other one wrote.
_COLLISIONS = 2
_ROLLBACK_TIMEOUT_S = 5.0


class Database(Executor):
    """The pool. Nothing is ever set on a session, only in a transaction, so a release needs no reset round trip.

    Nothing holds a connection while it waits for another: each unit of work has one transaction at a time, and also
    reads within it.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        admission: Admission,
        connect: "Callable[[], Awaitable[asyncpg.Connection[asyncpg.Record]]]",
    ) -> None:
        self.pool = pool
        self.admission = admission
        self._connect = connect
        self._discarding: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        role: str | None,
        size: int,
        timeout_s: float,
        name: str = "moneta",
        waiting_limit: int = 4000,
    ) -> Self:
        """Connects. Raises Unavailable with one clear line when the server does not answer or refuses us.

        `waiting_limit`: so many may wait for a connection, before others are turned away.
        """

        async def init(connection: Connection) -> None:
            await check_role(connection, role)
            await set_codecs(connection)

        options: dict[str, Any] = {
            "timeout": timeout_s,
            "command_timeout": 60.0,
            "server_settings": server_settings(role, name),
        }

        async def connect() -> "asyncpg.Connection[asyncpg.Record]":
            connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(url, **options)
            try:
                await init(connection)
            except BaseException:
                end_session(connection)
                raise
            return connection

        try:
            pool = await asyncpg.create_pool(
                url, min_size=min(2, size), max_size=size, init=init, reset=_no_reset, **options
            )
        except Problem:
            raise
        except (*CONNECTION_ERRORS, ValueError) as error:
            raise Unavailable(f"Postgres at {public(url)} cannot be used: {error or type(error).__name__}") from error
        return cls(pool, Admission(size, waiting_limit=waiting_limit), connect)

    async def close(self) -> None:
        """Lets running statements finish for a moment, then closes every connection."""
        try:
            await asyncio.wait_for(self.pool.close(), timeout=5.0)
        except TimeoutError:
            self.pool.terminate()

    async def rows(self, statement: Statement, *args: object) -> "list[asyncpg.Record]":
        """All rows of a public statement, in autocommit."""
        async with self._connection() as connection:
            return await connection.fetch(statement.sql, *args)

    @asynccontextmanager
    async def snapshot(self, scope: Scope) -> AsyncIterator[Tx]:
        """A REPEATABLE READ READ ONLY transaction: all that it reads belongs to one moment."""
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        async with self._transaction(begin, scope, _rollback, FAILURES_OF_READS) as tx:
            yield tx

    async def write(self, scope: Scope, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Runs `work` in one READ COMMITTED transaction and commits it.

        On a deadlock, a serialisation failure, a migration that came between, or a collision with another write, the
        whole of `work` runs again, a bounded number of times; it must therefore have no effect but its SQL.
        """
        return await self._repeated(lambda: self._transaction("BEGIN", scope, _commit, FAILURES), work)

    async def read(self, scope: Scope, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Runs `work` in one snapshot, again where a migration came between."""
        return await self._repeated(lambda: self.snapshot(scope), work)

    async def _repeated(
        self, begin: Callable[[], AbstractAsyncContextManager[Tx]], work: Callable[[Tx], Awaitable[T]]
    ) -> T:
        for attempt in range(1, _RETRIES + 1):
            try:
                async with begin() as tx:
                    result = await work(tx)
            except (Repeatable, Collision) as problem:
                if attempt == (_COLLISIONS if isinstance(problem, Collision) else _RETRIES):
                    raise
                await asyncio.sleep(random.uniform(0, 0.005 * 2**attempt))
            else:
                await tx.committed()
                return result
        raise AssertionError("unreachable")

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection outside the pool, for what is held for long: a lock, a subscription. Raises Unavailable.

        The caller ends it, with `end_session`.
        """
        with FAILURES:
            return await self._connect()

    @asynccontextmanager
    async def _transaction(
        self, begin: str, scope: Scope, end: Callable[[Connection], Awaitable[None]], failures: Failures
    ) -> AsyncIterator[Tx]:
        party = self._party()
        connection = await self._acquire(party)
        work = begin_transaction()
        tx = Tx(connection, failures)
        try:
            with tx.uncut():
                await connection.execute("; ".join(part for part in (begin, scope.settings()) if part))
            yield tx
            with tx.uncut():
                await end(connection)
        except BaseException:
            if not tx.cut_off:
                await _uninterrupted(_rollback(connection))
            raise
        finally:
            tx.end()
            work.open_transactions -= 1
            await self._release(connection, party, cut_off=tx.cut_off)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        count_statement()
        party, cut_off = self._party(), False
        connection = await self._acquire(party)
        try:
            with FAILURES:
                yield connection
        except asyncio.CancelledError:
            cut_off = True
            raise
        finally:
            await self._release(connection, party, cut_off=cut_off)

    def _party(self) -> Hashable:
        work = current_work()
        if work is None:
            return None
        if work.open_transactions:
            raise RuntimeError("this work holds a connection and may not wait for another")
        return work.party

    async def _acquire(self, party: Hashable) -> "PoolConnectionProxy[asyncpg.Record]":
        await self.admission.enter(party)
        try:
            with FAILURES:
                return await self.pool.acquire()
        except BaseException as error:
            self.admission.leave(party)
            if isinstance(error, asyncpg.PostgresError):
                # The server answers, but refuses connections: no defect of the caller.
                raise Unavailable("The database takes no connections. Try again shortly.") from error
            raise

    async def _release(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", party: Hashable, *, cut_off: bool
    ) -> None:
        if cut_off:
            # A cancelled caller waits for nothing; the slot is free when the connection is closed.
            task = asyncio.get_running_loop().create_task(discard(connection))
            self._discarding.add(task)
            task.add_done_callback(self._discarding.discard)
            task.add_done_callback(lambda _: self.admission.leave(party))
            return
        try:
            await self.pool.release(connection)
        finally:
            self.admission.leave(party)


async def _commit(connection: Connection) -> None:
    if await connection.execute("COMMIT") != "COMMIT":
        # Postgres rolls back, without an error, a transaction in which an error was swallowed.
        raise asyncpg.InFailedSQLTransactionError("a statement failed, and its error was not passed on")


async def _rollback(connection: Connection) -> None:
    try:
        # A lost connection has no transaction left to roll back.
        if not connection.is_closed():
            await connection.execute("ROLLBACK", timeout=_ROLLBACK_TIMEOUT_S)
    except CONNECTION_ERRORS:
        end_session(connection)


async def _uninterrupted(work: Coroutine[Any, Any, None]) -> None:
    """Waits for `work` even if the caller is cancelled meanwhile: the caller is about to raise an error anyway."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    task.result()


async def _no_reset(connection: Connection) -> None:
    """asyncpg has rolled back what was left open; there is no session state to clear."""

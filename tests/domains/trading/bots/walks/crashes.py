"""Processes that are killed between two statements, or stall before a transaction, and others that come between."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar, copy_context
from typing import Any, Final, Self

import pytest

from app.kit import db
from app.kit.db import Database
from app.kit.transaction import Tx


class Killed(BaseException):
    """The process is gone: none of its handlers runs, and Postgres rolls its transaction back."""


class Stall:
    """Work that stops before one of its transactions, until it is let go on."""

    def __init__(self, work: Callable[[], Awaitable[None]], transactions: int) -> None:
        self._left = transactions
        self._reached = asyncio.Event()
        self._go = asyncio.Event()
        context = copy_context()
        context.run(_STALL.set, self)
        self._task = asyncio.create_task(_done(work), context=context)

    async def begin(self) -> bool:
        """Returns once it stands still, or is done: whether it stands still."""
        reached = asyncio.create_task(self._reached.wait())
        await asyncio.wait([self._task, reached], return_when=asyncio.FIRST_COMPLETED)
        reached.cancel()
        return not self._task.done()

    async def end(self) -> None:
        """Lets it go on, and returns once it is done. Raises what it raises."""
        self._go.set()
        await self._task

    async def before_transaction(self) -> None:
        """Stands still, if it is the time."""
        self._left -= 1
        if self._left < 0:
            self._reached.set()
            await self._go.wait()


_STALL: Final[ContextVar[Stall | None]] = ContextVar("stall", default=None)


async def _done(work: Callable[[], Awaitable[None]]) -> None:
    await work()


class Crashes:
    """Counts statements, and kills who asks for one."""

    def __init__(self) -> None:
        self.kills = 0
        self.intrusions = 0
        self._statements_left: int | None = None
        self._transactions_left: int | None = None
        self._intruder: Callable[[], Awaitable[None]] | None = None

    @classmethod
    def over_postgres(cls, patch: pytest.MonkeyPatch) -> Self:
        """Of every statement of the application's own connections."""
        made = cls()
        borrow, acquire, commit = Tx.borrow, Database._acquire, db._commit

        @asynccontextmanager
        async def borrowed(tx: Tx) -> AsyncIterator[Any]:
            made.ask()
            connected: AbstractAsyncContextManager[Any] = borrow(tx)
            async with connected as connection:
                yield connection

        async def acquired(database: Database, party: Any) -> Any:
            await made.before_transaction()
            return await acquire(database, party)

        async def committed(connection: Any) -> None:
            made.ask()
            await commit(connection)
            # It is committed, and the process does not get to know.
            made.ask()

        patch.setattr(Tx, "borrow", borrowed)
        patch.setattr(Database, "_acquire", acquired)
        patch.setattr(db, "_commit", committed)
        return made

    def kill_after(self, statements: int) -> None:
        """The process that asks for another statement after so many is killed."""
        self._statements_left = statements

    def intrude_after(self, transactions: int, intruder: Callable[[], Awaitable[None]]) -> None:
        """Somebody else does something before the next transaction after so many begins."""
        self._transactions_left, self._intruder = transactions, intruder

    def forget(self) -> None:
        """Nobody is killed any more, and nobody intrudes."""
        self._statements_left = self._transactions_left = self._intruder = None

    def ask(self) -> None:
        """A statement begins. Raises Killed if that is the end."""
        if self._statements_left is None:
            return
        self._statements_left -= 1
        if self._statements_left < 0:
            self._statements_left = None
            self.kills += 1
            raise Killed

    async def before_transaction(self) -> None:
        """A transaction begins: here others come between. Raises Killed."""
        if (stall := _STALL.get()) is not None:
            await stall.before_transaction()
        await self._intrude()
        self.ask()

    async def _intrude(self) -> None:
        if self._transactions_left is None or self._intruder is None:
            return
        self._transactions_left -= 1
        if self._transactions_left < 0:
            intruder, left = self._intruder, self._statements_left
            self.forget()
            await intruder()
            self.intrusions += 1
            self._statements_left = left

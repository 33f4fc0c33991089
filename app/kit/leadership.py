"""One of many processes does something: whoever holds an advisory lock, which belongs to a session of the database."""

import asyncio
from typing import TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from app.kit.db import Database, end_session
from app.kit.errors import Unavailable
from app.kit.sql import beside

Q = beside(__file__, "leadership.sql")
ANSWER_S = 5.0

_Session: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"


class Leadership:
    """A process's claim to be the one. Its session may die with the server: ask `hold` again and again."""

    def __init__(self, database: Database, name: str) -> None:
        self._pool = database.pool
        self._name = name
        self._session: _Session | None = None

    async def hold(self) -> bool:
        """Whether this process is the one now; claims it where nobody is. Raises Unavailable: nobody can say.

        While the database is gone nobody else can claim it, so whoever led may go on with what needs no database.
        """
        try:
            async with asyncio.timeout(ANSWER_S):
                if self._session is not None:
                    await self._session.fetchval(Q.is_there.sql)
                    return True
                return await self._claim()
        except (TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            await self.give_up()
            raise Unavailable("The database does not answer. Try again shortly.") from error

    async def give_up(self) -> None:
        """Lets somebody else claim it. Idempotent."""
        session, self._session = self._session, None
        if session is not None:
            # Ending the session gives up the lock whatever happened, and waits for nothing.
            end_session(session)
            await self._pool.release(session)

    async def _claim(self) -> bool:
        session = await self._pool.acquire()
        try:
            if await session.fetchval(Q.try_lead.sql, self._name):
                self._session = session
                return True
        except BaseException:
            # It may have the lock all the same.
            end_session(session)
            raise
        finally:
            if self._session is None:
                await self._pool.release(session)
        return False

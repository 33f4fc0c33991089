"""Leader election among processes: the leader holds an advisory lock, which belongs to a database session."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from app.kit.db import Database
from app.kit.errors import Unavailable
from app.kit.postgres import CONNECTION_ERRORS, end_session
from app.kit.sql import Query, Statements
from app.kit.tasks import repeat
from app.kit.transaction import UnpooledConnection

ANSWER_S = 5.0

log = structlog.get_logger(__name__)


class LeadershipLost(Exception):
    """Another process leads now."""


class LeadershipSql(Statements, file="leadership.sql"):
    """The statements of leadership, which run on a connection of their own."""

    try_lead: Query[bool]
    is_there: Query[bool]


class Leadership:
    """A process's claim to leadership. Its session may end with the server: call `hold` repeatedly."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._session: UnpooledConnection | None = None
        self._leads = False

    async def hold(self) -> bool:
        """Returns whether this process leads now, and claims leadership where no process does. Raises Unavailable.

        While the database is unavailable no other process can claim it: the leader may continue what needs no database.
        """
        try:
            async with asyncio.timeout(ANSWER_S):
                if self._session is None:
                    self._session = UnpooledConnection(await self._database.connect())
                if self._leads:
                    await self._session.fetch_one(LeadershipSql.is_there)
                else:
                    self._leads = bool(await self._session.fetch_one(LeadershipSql.try_lead, self._name))
                return self._leads
        except (Unavailable, *CONNECTION_ERRORS) as error:
            # TimeoutError is an OSError.
            await self.give_up()
            raise Unavailable("The database does not answer. Try again shortly.") from error
        except BaseException:
            # The session may hold the lock nevertheless.
            await self.give_up()
            raise

    async def run(self, lead: Callable[[], Awaitable[None]], *, standby_s: float, name: str) -> None:
        """Leads whenever this process is the one that does, until cancelled. `lead` returns or raises LeadershipLost
        where another does. What goes wrong is logged under the name, and only delays.
        """

        async def lead_if_first() -> None:
            try:
                if await self.hold():
                    await lead()
            except LeadershipLost:
                log.warning(f"{name}.leadership_lost")

        try:
            await repeat(lead_if_first, every_s=standby_s, name=name)
        finally:
            await self.give_up()

    async def give_up(self) -> None:
        """Gives up leadership. Idempotent."""
        session, self._session, self._leads = self._session, None, False
        if session is not None:
            # Ending the session gives up the lock whatever happened, and waits for nothing.
            end_session(session.connection)

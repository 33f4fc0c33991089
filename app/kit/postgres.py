"""Connections to Postgres: how they are made, as whom, and what their failures mean."""

import asyncio
import contextlib
from typing import Final, TypeAlias

import asyncpg
import msgspec
import structlog
from asyncpg.pool import PoolConnectionProxy

from app.kit.errors import Problem, Repeatable, Unavailable
from app.kit.sql import Query, Statements

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"


GRANTED_ROLE: Final = "moneta_app"
"""The role that migrations make and grant to. Another one serves as a member of it."""

CLOSING_S: Final = 2.0
"""How long a cancelled statement may take to end on the server before its connection is closed."""

# The server or the way to it is gone. The caller can try again; nothing may be assumed of the statement.
_UNREACHABLE: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    # What asyncpg raises for a statement during which its connection was lost.
    asyncpg.InternalClientError,
    OSError,
)
CONNECTION_ERRORS: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What asyncpg may raise when a connection is made or lost, also half way through an answer."""

# asyncpg has one class for these and for misuse of its interface, and misuse must stay visible.
_CLOSED: Final = (
    "connection is closed",
    "connection has been released back to the pool",  # as soon as it is found to be lost
    "pool is closing",
    "pool is closed",
)
# A migration was applied meanwhile, or conflicted in its locks: the work succeeds in a new transaction.
_REPEATABLE: Final = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.OutdatedSchemaCacheError,
)

log = structlog.get_logger(__name__)


class OutOfResources(Unavailable):
    """The database has no room left. Try again later."""


class Stopped(Unavailable):
    """The database stopped the statement. Try again shortly."""


class ReadOnly(Unavailable):
    """The database takes no changes at the moment. Try again later."""


class Collision(Problem):
    """This collides with what another request has made. Read again, then try again."""


class WrongRole(Unavailable):
    """Postgres runs our statements as a role that row-level security does not bind."""


class Failures:
    """Turns what Postgres and asyncpg raise into problems, by its kind: `with FAILURES:`. Defects stay as they are."""

    def __init__(self, defect: type[asyncpg.PostgresError] | tuple[()] = ()) -> None:
        """`defect`: an error that is a defect here, although other statements may expect it."""
        self._defect = defect

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is not None and not isinstance(error, self._defect) and (problem := _problem(error)) is not None:
            raise problem from error


FAILURES: Final = Failures()
FAILURES_OF_READS: Final = Failures(asyncpg.ReadOnlySQLTransactionError)
"""A write in a read-only transaction is a defect, even if the server is read-only."""


def _problem(error: BaseException) -> Problem | None:
    match error:
        case _ if isinstance(error, _REPEATABLE):
            return Repeatable()
        case _ if isinstance(error, _UNREACHABLE):
            return Unavailable("The database does not answer. Try again shortly.")
        case asyncpg.UniqueViolationError():
            return Collision()
        case asyncpg.InsufficientResourcesError() | asyncpg.PostgresIOError():
            return OutOfResources()
        case asyncpg.OperatorInterventionError() | asyncpg.LockNotAvailableError():
            return Stopped()
        case asyncpg.ReadOnlySQLTransactionError():
            return ReadOnly()
        case asyncpg.InterfaceError() if str(error).endswith(_CLOSED):
            return Unavailable("The database does not answer. Try again shortly.")
    return None


def server_settings(role: str | None, name: str) -> dict[str, str]:
    """The settings of a new connection."""
    settings = {
        "application_name": name,
        "timezone": "UTC",
        "jit": "off",
        # Of a disk without moving parts, or of a database in memory. With the default of 4 Postgres reads all rows of a
        # user and sorts them rather than the first ones along an index.
        "random_page_cost": "1.1",
        "standard_conforming_strings": "on",
        # A client whose connection is lost silently must not keep its locks for hours, least of all the relay.
        "tcp_keepalives_idle": "5",
        "tcp_keepalives_interval": "2",
        "tcp_keepalives_count": "3",
    }
    return settings if role is None else settings | {"role": role}


class SessionRole(msgspec.Struct, frozen=True):
    """The role of a session; `owned` names something that this role owns, null where it owns nothing."""

    name: str
    bypasses: bool
    owned: str | None
    is_stranger: bool


class RoleSql(Statements, file="postgres.sql"):
    """The statements about roles."""

    role: Query[SessionRole]


async def check_role(connection: Connection, role: str | None) -> None:
    """Raises WrongRole for a connection to which row-level security would not apply. None: it is meant to be the owner.

    A pooler that drops start-up parameters, `role` among them, connects as its own user: usually the owner.
    """
    if role is None:
        return
    (found,) = RoleSql.role.decode(await connection.fetch(RoleSql.role.sql))
    wrong = None
    if found.name != role:
        wrong = f"runs our statements as {found.name!r}, not as {role!r}: a pooler in between may drop `role`"
    elif found.bypasses:
        wrong = f"lets {role!r} bypass row-level security: ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS"
    elif found.owned:
        wrong = f"lets {role!r} own {found.owned}: give that to the role that migrates"
    elif found.is_stranger:
        wrong = f"lets {role!r} read nothing: migrations grant to {GRANTED_ROLE}, so GRANT {GRANTED_ROLE} TO {role}"
    if wrong is not None:
        problem = WrongRole(
            f"Refused to serve: Postgres {wrong}. Connect to the server itself, or have the pooler pass `role` on"
            " (MONETA_DATABASE_URL, MONETA_DATABASE_ROLE)."
        )
        log.critical("db.wrong_role", error=problem.message)
        raise problem


async def set_codecs(connection: Connection) -> None:
    """JSON as Python values."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),
        decoder=lambda data: msgspec.json.decode(data[1:]),
        format="binary",
    )


def end_session(connection: Connection) -> None:
    """Closes a connection at once, with all that its session holds; the pool opens another when it needs one."""
    # A connection that was lost has left the pool, and its proxy says so by raising.
    with contextlib.suppress(asyncpg.InterfaceError):
        connection.terminate()


async def discard(connection: Connection) -> None:
    """Closes a connection whose statement was cancelled: its state on the server is unknown.

    asyncpg has asked the server to stop the statement. The request may arrive when the statement is over, and would
    then stop the next statement on the connection.
    """
    try:
        async with asyncio.timeout(CLOSING_S):
            await connection.close()
    except CONNECTION_ERRORS:
        # TimeoutError is an OSError.
        end_session(connection)


def public(url: str) -> str:
    """The URL without its user and password, wherever it holds them."""
    scheme, _, rest = url.partition("?")[0].partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"

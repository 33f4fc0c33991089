"""Alembic's environment: plain SQL revisions, run by the owner over asyncpg, each recorded in `schema_migrations`."""

import asyncio
import time
from typing import Any

import asyncpg
import structlog
from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

LONGEST_TRANSACTION = text("""
    SELECT
        a.pid,
        coalesce(nullif(a.application_name, ''), a.usename, a.backend_type) AS name,
        coalesce(a.state, 'at work') AS state,
        extract(epoch FROM clock_timestamp() - a.xact_start)::integer AS seconds,
        string_agg(DISTINCT c.relname, ', ' ORDER BY c.relname) AS tables
    FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid AND l.granted AND l.locktype = 'relation'
    JOIN pg_class c ON c.oid = l.relation AND c.relkind IN ('r', 'p')
    WHERE a.pid <> pg_backend_pid() AND a.datname = current_database() AND l.database = a.datid
    GROUP BY a.pid, a.application_name, a.usename, a.backend_type, a.state, a.xact_start
    ORDER BY a.xact_start
    LIMIT 1
""")

log = structlog.get_logger(__name__)
_started = time.perf_counter()


def record_version(*, ctx: Any, step: Any, **_: Any) -> None:
    """Keeps `schema_migrations(version, applied_at, execution_time_ms)`, one row for each applied revision."""
    global _started
    now = time.perf_counter()
    elapsed_ms, _started = round((now - _started) * 1000), now
    if step.is_upgrade:
        ctx.connection.execute(
            text(
                "INSERT INTO schema_migrations (version, execution_time_ms) VALUES (:version, :elapsed_ms)"
                " ON CONFLICT (version) DO NOTHING"
            ),
            {"version": step.up_revision_id, "elapsed_ms": elapsed_ms},
        )


def why_it_waits(connection: Connection) -> str:
    """What the next revision waits for, as far as the server knows: most likely the longest transaction."""
    done = context.get_context().get_current_revision() or "none"
    longest = connection.execute(LONGEST_TRANSACTION).one_or_none()
    connection.rollback()
    reason = f"the revision after {done} waits for a lock that somebody else holds."
    if longest is None:
        return reason
    return (
        f"{reason} The longest transaction is that of process {longest.pid} ({longest.name}, {longest.state}), open for"
        f" {longest.seconds} s, with locks on {longest.tables}."
    )


def run(connection: Connection) -> None:
    """Runs the revisions on one connection, each in its own transaction.

    One that waits for a lock holds up all who come for the table after it: it waits for a moment, and tries again.
    """
    global _started
    # Two starts at once: the second waits here and then finds nothing to do.
    connection.execute(text("SELECT pg_advisory_lock(hashtext('moneta.migrate'))"))
    connection.commit()
    context.configure(connection=connection, transaction_per_migration=True, on_version_apply=record_version)
    for pause_s in (*context.config.attributes["patience"].pauses_s, None):
        _started = time.perf_counter()
        try:
            with context.begin_transaction():
                context.run_migrations()
            break
        except (asyncpg.LockNotAvailableError, DBAPIError) as error:
            if getattr(getattr(error, "orig", error), "sqlstate", None) != asyncpg.LockNotAvailableError.sqlstate:
                raise
            # The revision was rolled back, those before it are done. The statements that queued behind it run now.
            connection.rollback()
            reason = why_it_waits(connection)
            if pause_s is None:
                raise TimeoutError(reason) from error
        log.warning("migrate.waiting", reason=reason, again_in_s=pause_s)
        time.sleep(pause_s)
    connection.execute(text("SELECT pg_advisory_unlock(hashtext('moneta.migrate'))"))
    connection.commit()


async def main() -> None:
    """Connects as the owner."""
    url = context.config.attributes["url"]
    # asyncpg reads the URL itself, as it does for the pool: SQLAlchemy has another idea of its options.
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url), poolclass=pool.NullPool
    )
    try:
        async with engine.connect() as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()


asyncio.run(main())

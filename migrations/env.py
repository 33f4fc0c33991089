"""Alembic's environment: plain SQL revisions, run by the owner over asyncpg, each recorded in `schema_migrations`."""

import asyncio
import time
from typing import Any

import asyncpg
from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

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


def run(connection: Connection) -> None:
    """Runs the revisions on one connection, each in its own transaction."""
    global _started
    # Two starts at once: the second waits here and then finds nothing to do.
    connection.execute(text("SELECT pg_advisory_lock(hashtext('moneta.migrate'))"))
    connection.commit()
    _started = time.perf_counter()
    context.configure(connection=connection, transaction_per_migration=True, on_version_apply=record_version)
    with context.begin_transaction():
        context.run_migrations()
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

"""Brings a database to the newest revision."""

import asyncio
import threading
from pathlib import Path
from typing import Final

import msgspec
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import SQLAlchemyError

from app.kit.errors import Unavailable
from app.kit.postgres import CONNECTION_ERRORS

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"

# Alembic hands its state to the environment through a module's globals: one at a time in a process.
_one_at_a_time = threading.Lock()


class Patience(msgspec.Struct, frozen=True):
    """How a revision waits for a lock that others hold."""

    # More than the second after which Postgres cancels an autovacuum that blocks the lock.
    lock_timeout: str = "2s"
    pauses_s: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
    """The pauses between attempts, in which statements that queue behind the lock can run."""


PATIENCE: Final = Patience()


async def migrate(url: str, revision: str = "head", *, patience: Patience = PATIENCE) -> None:
    """Applies every missing revision up to `revision`, as the owner that `url` names. Safe to run twice at once.

    Raises Unavailable when the server does not answer, refuses us, or refuses a revision, or when others keep a lock
    that one needs.
    """
    # Alembic's environment runs an event loop of its own, so it gets a thread.
    try:
        await asyncio.to_thread(_upgrade, url, revision, patience)
    except (*CONNECTION_ERRORS, ValueError, SQLAlchemyError) as error:
        # Some errors have no text.
        reason = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
        line = reason.splitlines()[0]
        raise Unavailable(f"The database cannot be brought to revision {revision}: {line}") from error


def _upgrade(url: str, revision: str, patience: Patience) -> None:
    config = Config()
    # A path may hold what Alembic's configuration would take for a placeholder.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url
    config.attributes["patience"] = patience
    with _one_at_a_time:
        command.upgrade(config, revision)

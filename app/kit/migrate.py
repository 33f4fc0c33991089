"""Brings a database to the newest revision."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


async def migrate(url: str, revision: str = "head") -> None:
    """Applies every missing revision up to `revision`, as the owner that `url` names. Safe to run twice at once."""
    # Alembic's environment runs an event loop of its own, so it gets a thread.
    await asyncio.to_thread(_upgrade, url, revision)


def _upgrade(url: str, revision: str) -> None:
    config = Config()
    # A path may hold what Alembic's configuration would take for a placeholder.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url
    command.upgrade(config, revision)

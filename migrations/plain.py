"""A revision is a plain SQL file: `0001_foundation.py` runs `0001_foundation.sql` beside it."""

from pathlib import Path

from alembic import context, op
from sqlalchemy import text


def sql(revision_file: str) -> None:
    """Runs the SQL beside a revision, in the revision's own transaction."""
    script = Path(revision_file).with_suffix(".sql").read_text(encoding="utf-8")
    bind = op.get_bind()
    # The driver begins its transaction at the first statement it is given; the script must be inside it.
    # Statements queue behind a migration that waits for a table, so it may not wait for long: see `env.py`.
    lock_timeout = context.config.attributes["patience"].lock_timeout
    bind.execute(text("SELECT set_config('lock_timeout', :value, true)"), {"value": lock_timeout})
    # A script of many statements needs the simple protocol, which SQLAlchemy does not offer.
    bind.connection.dbapi_connection.run_async(lambda driver: driver.execute(script))  # type: ignore[union-attr]

"""Settings of the system, which admins change while it runs, and the history of their changes."""

from migrations.plain import sql

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    sql(__file__)

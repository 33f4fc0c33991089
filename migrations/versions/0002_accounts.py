"""Users, access codes, sessions, one-time codes, profiles, settings, the auth log and the audit log."""

from migrations.plain import sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    sql(__file__)

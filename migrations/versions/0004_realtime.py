"""Real time: an epoch that notices a restore by itself."""

from migrations.plain import sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    sql(__file__)

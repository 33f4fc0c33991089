"""An end to indexes that no statement uses."""

from migrations.plain import sql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    sql(__file__)

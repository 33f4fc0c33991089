"""The index of exchange credentials that no statement uses."""

from migrations.plain import sql

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    sql(__file__)

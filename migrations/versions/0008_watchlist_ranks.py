"""Watchlists: a place that others' moves do not change."""

from migrations.plain import sql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    sql(__file__)

"""Watchlists: a place that others' moves do not change."""

from migrations.plain import sql

revision = "0014"
down_revision = "0005"


def upgrade() -> None:
    sql(__file__)

"""Portfolios, and the journal of everything that moves in them."""

from migrations.plain import sql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    sql(__file__)

"""Bots, their signals, and what they buy and sell."""

from migrations.plain import sql

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    sql(__file__)

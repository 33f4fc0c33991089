"""Bots, their signals, and what they buy and sell."""

from migrations.plain import sql

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    sql(__file__)

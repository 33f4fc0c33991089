"""Indexes for what lists are sorted and filtered by."""

from migrations.plain import sql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    sql(__file__)

"""Whose participations are, and how far participants of projects have got."""

from migrations.plain import sql

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    sql(__file__)

"""Participants of tenants, and their wallets."""

from migrations.plain import sql

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    sql(__file__)

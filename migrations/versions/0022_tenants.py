"""Tenants, their members, and invitations."""

from migrations.plain import sql

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    sql(__file__)

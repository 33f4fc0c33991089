"""Roles, scope functions, events, idempotency, jobs, partitions."""

from migrations.plain import sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    sql(__file__)

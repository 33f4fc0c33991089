"""Redacting what the audit log says of reviews, and which participants an export is of."""

from migrations.plain import sql

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    sql(__file__)

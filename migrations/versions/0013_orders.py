"""Orders, the exchange that matches them, and what it fills."""

from migrations.plain import sql

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    sql(__file__)

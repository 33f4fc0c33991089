"""What is recorded of participants who had left, and when participants last did something."""

from migrations.plain import sql

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    sql(__file__)

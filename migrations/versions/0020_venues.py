"""Exchange accounts, orders that are sent to exchanges, and what is reconciled with them."""

from migrations.plain import sql

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    sql(__file__)

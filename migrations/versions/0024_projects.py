"""Projects of tenants, and their wallets."""

from migrations.plain import sql

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    sql(__file__)

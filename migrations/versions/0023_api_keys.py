"""API keys of tenants, and the calls that they make."""

from migrations.plain import sql

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    sql(__file__)

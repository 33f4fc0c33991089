"""What happens in the projects of tenants, how often, and where its archives are."""

from migrations.plain import sql

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    sql(__file__)

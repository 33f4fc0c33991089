"""What users do, kept by the product and by its clients, unless they opted out."""

from migrations.plain import sql

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    sql(__file__)

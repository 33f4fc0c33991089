"""What portfolios have done in each day, week, month and year."""

from migrations.plain import sql

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    sql(__file__)

"""The entries of a life are found among those of their portfolio."""

from migrations.plain import sql

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    sql(__file__)

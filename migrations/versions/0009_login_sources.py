"""Where a user has logged in from: who guesses elsewhere does not keep them out there."""

from migrations.plain import sql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    sql(__file__)

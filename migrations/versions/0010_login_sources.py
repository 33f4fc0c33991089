"""Where a user has logged in from: who guesses elsewhere does not keep them out there."""

from migrations.plain import sql

revision = "0010"
down_revision = "0005"


def upgrade() -> None:
    sql(__file__)

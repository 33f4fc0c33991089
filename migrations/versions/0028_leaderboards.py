"""Who has how many points in a project, in order, and how many have more."""

from migrations.plain import sql

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    sql(__file__)

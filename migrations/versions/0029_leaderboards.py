"""Who has how many points in a project, in order, and how many have more."""

from migrations.plain import sql

revision = "0029"
down_revision = "0026"


def upgrade() -> None:
    sql(__file__)

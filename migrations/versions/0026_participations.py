"""Who has joined which project: tasks, completions, points, levels."""

from migrations.plain import sql

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    sql(__file__)

"""Import, export and erasure of participants."""

from migrations.plain import sql

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    sql(__file__)

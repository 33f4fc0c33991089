"""Import, export and erasure of participants."""

from migrations.plain import sql

revision = "0027"
down_revision = "0025"


def upgrade() -> None:
    sql(__file__)

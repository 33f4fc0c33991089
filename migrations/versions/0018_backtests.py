"""Back-tests and sweeps of them."""

from migrations.plain import sql

revision = "0018"
down_revision = "0016"


def upgrade() -> None:
    sql(__file__)

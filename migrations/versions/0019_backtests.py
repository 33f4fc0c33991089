"""Back-tests and sweeps of them."""

from migrations.plain import sql

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    sql(__file__)

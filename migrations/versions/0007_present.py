"""The moment that bounds whatever is stamped."""

from migrations.plain import sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    sql(__file__)

"""The moment that bounds whatever is stamped."""

from migrations.plain import sql

revision = "0012"
down_revision = "0005"


def upgrade() -> None:
    sql(__file__)

"""What is Moneta's is closed to every other role of the server."""

from migrations.plain import sql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    sql(__file__)

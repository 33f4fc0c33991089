"""${message}"""

from migrations.plain import sql

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    sql(__file__)

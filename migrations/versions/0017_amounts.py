"""Sums of money and coins may be larger than what one order may be worth."""

from migrations.plain import sql

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    sql(__file__)

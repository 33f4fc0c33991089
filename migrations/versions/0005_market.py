"""The market: tokens, prices and candles, news, analyses, watchlists, alerts, notifications."""

from migrations.plain import sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    sql(__file__)

"""The ledger: wallets, keys, blocks, transactions, unspent outputs, beneficiaries, chain state."""

from migrations.plain import sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    sql(__file__)

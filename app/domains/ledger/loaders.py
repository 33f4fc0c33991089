"""Loaders of the ledger. The chain is public; balances, coins and beneficiaries are visible to their owner only."""

from app.domains.ledger.statements import (
    BeneficiarySql,
    BlockSql,
    ChainSql,
    MempoolSql,
    TransactionSql,
    WalletSql,
)
from app.kit.loaders import Audience, many, one, page

wallet_by_id = one(WalletSql.wallets_by_ids, key="wallet_id", audience=Audience.PUBLIC)
wallet_by_user = one(WalletSql.wallets_by_users, key="user_id", audience=Audience.PUBLIC)
balance_by_wallet = one(WalletSql.balances_by_wallets, key="wallet_id", audience=Audience.VIEWER)
pending_by_wallet = one(WalletSql.pending_by_wallets, key="wallet_id", audience=Audience.VIEWER)
utxos_by_wallet = page(
    WalletSql.utxos_by_wallet,
    count=WalletSql.utxos_by_wallet_count,
    order=("transaction_hash", "output_index"),
    audience=Audience.VIEWER,
)

block_by_id = one(BlockSql.blocks_by_ids, key="id", audience=Audience.PUBLIC)
block_by_hash = one(BlockSql.blocks_by_hashes, key="block_hash", audience=Audience.PUBLIC)
block_by_previous_hash = one(BlockSql.blocks_by_previous_hashes, key="previous_hash", audience=Audience.PUBLIC)
block_by_height = one(BlockSql.blocks_by_heights, key="height", audience=Audience.PUBLIC)
blocks = page(BlockSql.blocks_page, count=BlockSql.blocks_count, order=("height",), audience=Audience.PUBLIC)
blocks_by_miner = page(
    BlockSql.blocks_by_miner, count=BlockSql.blocks_by_miner_count, order=("height",), audience=Audience.PUBLIC
)

transaction_by_hash = one(TransactionSql.transactions_by_hashes, key="transaction_hash", audience=Audience.PUBLIC)
transactions_by_block = page(
    TransactionSql.transactions_by_block,
    count=TransactionSql.transactions_by_block_count,
    order=("block_position",),
    audience=Audience.PUBLIC,
)
leaves_by_height = one(TransactionSql.leaves_by_heights, key="block_height", audience=Audience.PUBLIC)
transactions_by_wallet = page(
    TransactionSql.transactions_by_wallet,
    count=TransactionSql.transactions_by_wallet_count,
    order=("timestamp", "transaction_hash"),
    audience=Audience.PUBLIC,
)
mempool = page(
    MempoolSql.mempool_page,
    count=MempoolSql.mempool_count,
    order=("sequence",),
    audience=Audience.PUBLIC,
)
outputs_by_transaction = many(TransactionSql.outputs_by_transaction, audience=Audience.PUBLIC)
inputs_by_transaction = many(TransactionSql.inputs_by_transaction, audience=Audience.PUBLIC)

chain_states = many(ChainSql.chain_state, audience=Audience.PUBLIC)

beneficiary_by_id = one(BeneficiarySql.beneficiaries_by_ids, key="id", audience=Audience.VIEWER)
beneficiaries_by_user = page(
    BeneficiarySql.beneficiaries_by_user,
    count=BeneficiarySql.beneficiaries_by_user_count,
    order=("created_at", "id"),
    audience=Audience.VIEWER,
)

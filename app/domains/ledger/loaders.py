"""How the graph reads the ledger. What is on the chain is public; sums, coins and beneficiaries are their owner's."""

from app.domains.ledger.model import (
    Beneficiary,
    Block,
    ChainState,
    Output,
    PendingTransaction,
    Transaction,
    Wallet,
    WalletBalance,
    WalletPending,
)
from app.domains.ledger.proof import BlockLeaves
from app.kit.loading import Audience, many, one, page
from app.kit.sql import beside

Q = beside(__file__)

wallet_by_id = one(Wallet, Q.wallets_by_ids, key="wallet_id", audience=Audience.PUBLIC)
wallet_by_user = one(Wallet, Q.wallets_by_users, key="user_id", audience=Audience.PUBLIC)
balance_by_wallet = one(WalletBalance, Q.balances_by_wallets, key="wallet_id", audience=Audience.VIEWER)
pending_by_wallet = one(WalletPending, Q.pending_by_wallets, key="wallet_id", audience=Audience.VIEWER)
utxos_by_wallet = page(
    Output,
    Q.utxos_by_wallet,
    count=Q.utxos_by_wallet_count,
    order=("transaction_hash", "output_index"),
    audience=Audience.VIEWER,
)

block_by_id = one(Block, Q.blocks_by_ids, key="id", audience=Audience.PUBLIC)
block_by_hash = one(Block, Q.blocks_by_hashes, key="block_hash", audience=Audience.PUBLIC)
block_by_previous_hash = one(Block, Q.blocks_by_previous_hashes, key="previous_hash", audience=Audience.PUBLIC)
block_by_height = one(Block, Q.blocks_by_heights, key="height", audience=Audience.PUBLIC)
blocks = page(Block, Q.blocks_page, count=Q.blocks_count, order=("height",), keyed=False, audience=Audience.PUBLIC)
blocks_by_miner = page(
    Block, Q.blocks_by_miner, count=Q.blocks_by_miner_count, order=("height",), audience=Audience.PUBLIC
)

transaction_by_hash = one(Transaction, Q.transactions_by_hashes, key="transaction_hash", audience=Audience.PUBLIC)
transactions_by_block = page(
    Transaction,
    Q.transactions_by_block,
    count=Q.transactions_by_block_count,
    order=("block_position",),
    audience=Audience.PUBLIC,
)
leaves_by_height = one(BlockLeaves, Q.leaves_by_heights, key="block_height", audience=Audience.PUBLIC)
transactions_by_wallet = page(
    Transaction,
    Q.transactions_by_wallet,
    count=Q.transactions_by_wallet_count,
    order=("timestamp", "transaction_hash"),
    audience=Audience.PUBLIC,
)
mempool = page(
    PendingTransaction,
    Q.mempool_page,
    count=Q.mempool_count,
    order=("sequence",),
    keyed=False,
    audience=Audience.PUBLIC,
)
outputs_by_transaction = many(Output, Q.outputs_by_transaction, audience=Audience.PUBLIC)
inputs_by_transaction = many(Output, Q.inputs_by_transaction, audience=Audience.PUBLIC)

chain_states = many(ChainState, Q.chain_state, audience=Audience.PUBLIC)

beneficiary_by_id = one(Beneficiary, Q.beneficiaries_by_ids, key="id", audience=Audience.VIEWER)
beneficiaries_by_user = page(
    Beneficiary,
    Q.beneficiaries_by_user,
    count=Q.beneficiaries_by_user_count,
    order=("created_at", "id"),
    audience=Audience.VIEWER,
)

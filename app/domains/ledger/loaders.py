"""Loaders of the ledger. The chain is public; balances, coins and beneficiaries are visible to their owner only."""

from app.domains.ledger.model import TransactionStatus
from app.domains.ledger.statements import (
    BeneficiarySql,
    BlockSql,
    ChainSql,
    MempoolSql,
    TransactionSql,
    WalletSql,
)
from app.kit.lists import at_least, at_most, before, by, constant, contains, equals
from app.kit.loaders import Audience, many, one, page

HIGHEST = by("height", descending=True)
LATEST = by("timestamp", "transaction_hash", descending=True)

wallet_by_id = one(WalletSql.wallets_by_ids, key="wallet_id", audience=Audience.PUBLIC)
wallet_by_user = one(WalletSql.wallets_by_users, key="user_id", audience=Audience.PUBLIC)
balance_by_wallet = one(WalletSql.balances_by_wallets, key="wallet_id", audience=Audience.VIEWER)
pending_by_wallet = one(WalletSql.pending_by_wallets, key="wallet_id", audience=Audience.VIEWER)
utxos_by_wallet = page(
    WalletSql.utxos_by_wallet,
    orders={"OUTPUT": by("transaction_hash", "output_index")},
    filters={
        "min_amount": at_least("amount"),
        "max_amount": at_most("amount"),
        "coinbase": constant("is_coinbase"),
        "confirmed": constant("is_confirmed"),
    },
    audience=Audience.VIEWER,
)

block_by_id = one(BlockSql.blocks_by_ids, key="id", audience=Audience.PUBLIC)
block_by_hash = one(BlockSql.blocks_by_hashes, key="block_hash", audience=Audience.PUBLIC)
block_by_previous_hash = one(BlockSql.blocks_by_previous_hashes, key="previous_hash", audience=Audience.PUBLIC)
block_by_height = one(BlockSql.blocks_by_heights, key="height", audience=Audience.PUBLIC)
blocks = page(
    BlockSql.blocks,
    orders={"HEIGHT": HIGHEST},
    filters={
        "min_height": at_least("height"),
        "max_height": at_most("height"),
        "since": at_least("timestamp", gated=True),
        "until": before("timestamp", gated=True),
        "miner_wallet_id": equals("miner_wallet_id"),
    },
    audience=Audience.PUBLIC,
)
blocks_by_miner = page(BlockSql.blocks_by_miner, orders={"HEIGHT": HIGHEST}, audience=Audience.PUBLIC)

transaction_by_hash = one(TransactionSql.transactions_by_hashes, key="transaction_hash", audience=Audience.PUBLIC)
transactions_by_block = page(
    TransactionSql.transactions_by_block, orders={"POSITION": by("block_position")}, audience=Audience.PUBLIC
)
leaves_by_height = one(TransactionSql.leaves_by_heights, key="block_height", audience=Audience.PUBLIC)
transactions = page(
    TransactionSql.transactions,
    orders={"CREATED_AT": LATEST, "AMOUNT": by("amount", "transaction_hash", descending=True)},
    filters={
        "status": constant("status", TransactionStatus),
        "min_amount": at_least("amount", gated=True),
        "max_amount": at_most("amount", gated=True),
        "since": at_least("timestamp", gated=True),
        "until": before("timestamp", gated=True),
    },
    audience=Audience.PUBLIC,
)
transactions_by_wallet = page(
    TransactionSql.transactions_sent,
    TransactionSql.transactions_received,
    orders={"CREATED_AT": LATEST},
    filters={
        "status": constant("status", TransactionStatus),
        "direction": constant("direction", ("sent", "received")),
        "counterparty_wallet_id": equals("counterparty"),
        "min_amount": at_least("own_amount"),
        "max_amount": at_most("own_amount"),
        "since": at_least("timestamp"),
        "until": before("timestamp"),
    },
    audience=Audience.PUBLIC,
)
mempool = page(
    MempoolSql.mempool,
    orders={"ACCEPTANCE": by("sequence")},
    filters={
        "sender_wallet_id": equals("sender_wallet_id"),
        "recipient_wallet_id": equals("recipient"),
        "min_amount": at_least("amount"),
        "max_amount": at_most("amount"),
        "min_fee": at_least("fee"),
        "max_fee": at_most("fee"),
    },
    audience=Audience.PUBLIC,
)
outputs_by_transaction = many(TransactionSql.outputs_by_transaction, audience=Audience.PUBLIC)
inputs_by_transaction = many(TransactionSql.inputs_by_transaction, audience=Audience.PUBLIC)

chain_states = many(ChainSql.chain_state, audience=Audience.PUBLIC)

beneficiary_by_id = one(BeneficiarySql.beneficiaries_by_ids, key="id", audience=Audience.VIEWER)
beneficiaries_by_user = page(
    BeneficiarySql.beneficiaries_by_user,
    orders={"CREATED_AT": by("created_at", "id", descending=True)},
    filters={"search": contains("names"), "wallet_id": equals("beneficiary_wallet_id")},
    audience=Audience.VIEWER,
)

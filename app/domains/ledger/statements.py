"""The statements about ledger."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

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
from app.kit.sql import Command, Keyed, Query, Statements, beside


class LedgerSql(Statements, file="queries.sql"):
    """What the loaders read."""

    wallets_by_ids: Query[Wallet]
    wallets_by_users: Query[Wallet]
    balances_by_wallets: Query[WalletBalance]
    pending_by_wallets: Query[WalletPending]
    utxos_by_wallet: Keyed[Output]
    utxos_by_wallet_count: Keyed[int]
    blocks_by_ids: Query[Block]
    blocks_by_hashes: Query[Block]
    blocks_by_previous_hashes: Query[Block]
    blocks_by_heights: Query[Block]
    blocks_page: Query[Block]
    blocks_count: Query[int]
    blocks_by_miner: Keyed[Block]
    blocks_by_miner_count: Keyed[int]
    transactions_by_hashes: Query[Transaction]
    transactions_by_block: Keyed[Transaction]
    transactions_by_block_count: Keyed[int]
    leaves_by_heights: Query[BlockLeaves]
    transactions_by_wallet: Keyed[Transaction]
    transactions_by_wallet_count: Keyed[int]
    mempool_page: Query[PendingTransaction]
    mempool_count: Query[int]
    outputs_by_transaction: Keyed[Output]
    inputs_by_transaction: Keyed[Output]
    chain_state: Keyed[ChainState]
    beneficiaries_by_ids: Query[Beneficiary]
    beneficiaries_by_user: Keyed[Beneficiary]
    beneficiaries_by_user_count: Keyed[int]


class ChainSql(Statements, file="chain.sql"):
    """The statements about the chain."""

    lock_genesis: Command
    chain_head: Query[tuple[bytes, int, int, str, int, Decimal, int]]
    lock_chain_head: Query[tuple[bytes, int, int, str, int, Decimal, int]]
    present: Query[datetime]
    recent_block_times: Query[int]
    news: Query[tuple[str, int]]
    waiting_transactions: Query[tuple[str, int, int, int, int]]
    waiting_parents: Query[tuple[str, str]]
    transactions_to_mine: Query[tuple[str, bytes, bytes]]
    outputs_spent_by: Query[tuple[str, int, str, int, int, bool, str]]
    public_keys: Query[tuple[str, bytes]]
    lock_balances: Query[str]
    insert_block: Query[tuple[UUID, int, str, str, int, str, datetime, int, int, str, Decimal, Decimal, int, int]]
    insert_coinbase: Command
    insert_coinbase_output: Command
    confirm_transactions: Command
    confirm_outputs: Query[tuple[int, int, int, list[str]]]
    put_chain_head: Command
    replay_blocks: Query[
        tuple[UUID, int, str, str, int, str, datetime, int, int, str, Decimal, Decimal, int, int, datetime]
    ]
    replay_transactions: Query[tuple[int, int, UUID, str, bytes, bytes, str, str, Decimal, Decimal, str, datetime, int]]
    replay_outputs: Query[tuple[str, int, str, int, bool, bool, int]]
    replay_spends: Query[tuple[str, int, str, int]]
    replay_mempool: Query[tuple[int, str, bytes]]
    replay_confirmed_outputs: Query[tuple[str, int, str, int, int, bool, str, bool]]
    replay_balances: Query[tuple[str, int]]
    chain_info: Query[
        tuple[bytes, int, str, int, Decimal, Decimal, Decimal, int, int, int, Decimal, int, int, datetime]
    ]


class PaymentSql(Statements, file="payments.sql"):
    """The statements about payments."""

    insert_wallet: Query[str]
    keys_to_rewrap: Query[tuple[str, UUID, str, bytes, bytes]]
    count_keys_to_rewrap: Query[int]
    rewrap_keys: Command
    lock_payer: Query[str]
    payer: Query[
        tuple[
            str,
            str,
            bytes,
            Decimal,
            str,
            bytes,
            bytes,
            bytes,
            int,
            int,
            bool,
            list[str],
            list[int],
            list[int],
            list[int],
            list[bool],
            list[int],
        ]
    ]
    submitter: Query[tuple[bytes, bytes, int, int, bool, bool]]
    unspent_at: Query[tuple[str, int, str, int, int, bool, bool, int]]
    accept_payment: Query[int]
    mempool_is_full: Query[bool]
    lock_chain: Query[int]
    overdue_senders: Query[str]
    lock_balances: Query[str]
    overdue_family: Query[tuple[str, str, str, bool]]
    release_inputs: Command
    delete_outputs: Command
    fail_transactions: Command
    wallet_balance_sums: Query[tuple[str, Decimal]]
    store_balances: Command
    insert_beneficiary: Query[UUID]
    beneficiary: Query[tuple[UUID, UUID, str, str, str, datetime]]
    update_beneficiary: Query[tuple[UUID, UUID, str, str, str, datetime]]
    delete_beneficiary: Command


class StatisticsSql(Statements, file="statistics.sql"):
    """The statements about the chain's statistics."""

    activity_since: Query[tuple[int, datetime, Decimal, int, Decimal, Decimal, int, int, int, Decimal]]
    payments_from_height: Query[tuple[Decimal, int, int]]
    largest_payments_from_height: Query[tuple[int, int, str, str, str, Decimal, datetime]]
    payments_after: Query[tuple[int, int, str, str, str, Decimal, datetime]]
    last_place: Query[tuple[int, int]]


CHAIN = beside(__file__, "chain.sql")
PAYMENTS = beside(__file__, "payments.sql")
STATISTICS = beside(__file__, "statistics.sql")

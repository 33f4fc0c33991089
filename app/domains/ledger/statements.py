"""The statements of the ledger house, and the rows that only its services read."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from app.domains.ledger.model import (
    Beneficiary,
    Block,
    ChainPosition,
    ChainState,
    ConfirmedPayment,
    Output,
    PendingTransaction,
    TemplateBasis,
    Transaction,
    Wallet,
    WalletBalance,
    WalletKey,
    WalletPending,
)
from app.domains.ledger.proof import BlockLeaves
from app.kit.data_checks import CounterDifference, Mended
from app.kit.sql import Command, Keyed, Query, Rows, Statements


class HeadRow(msgspec.Struct, frozen=True):
    """The tip and the sums that the next block changes."""

    network: bytes
    coinbase_maturity: int
    tip_height: int
    tip_hash: str
    current_difficulty: int
    burned_coins: Decimal
    total_transactions: int


class PayerRow(msgspec.Struct, frozen=True):
    """The wallet that pays. Its key is null for an external wallet, the chain before genesis, the lists without coins.

    The six lists describe the spendable coins, one place for each coin.
    """

    wallet_id: str
    custody: str
    public_key: bytes
    balance: Decimal
    kek_id: str | None
    wrapped_key: bytes | None
    ciphertext: bytes | None
    network: bytes | None
    coinbase_maturity: int | None
    tip_height: int | None
    recipient_exists: bool
    hashes: list[str] | None
    indexes: list[int] | None
    units: list[int] | None
    heights: list[int | None] | None
    coinbases: list[bool] | None
    ancestors: list[int] | None


class SubmitterRow(msgspec.Struct, frozen=True):
    """The wallet that submits a transaction. The chain is null before genesis."""

    public_key: bytes
    network: bytes | None
    coinbase_maturity: int | None
    tip_height: int | None
    recipient_exists: bool
    is_known: bool


class UnspentOutput(msgspec.Struct, frozen=True):
    """An unspent output. `block_height` is null while it is unconfirmed; `ancestors` is its transaction's bound."""

    transaction_hash: str
    output_index: int
    wallet_id: str
    units: int
    block_height: int | None
    is_coinbase: bool
    is_change: bool
    ancestors: int


class OverdueTransaction(msgspec.Struct, frozen=True):
    """A pending transaction to be failed: it is overdue itself, or spends the outputs of one that is."""

    transaction_hash: str
    sender_wallet_id: str
    recipient_wallet_id: str
    is_overdue: bool


class BlockRow(Block, frozen=True):
    """A block, and when it was connected."""

    created_at: datetime


class ConfirmedOutputs(msgspec.Struct, frozen=True):
    """What confirming a block's outputs changed: outputs of how many units, and the wallets whose balance changed.

    `credits` is the number of wallets that were to be credited.
    """

    outputs: int
    units: int
    credits: int
    changed: list[str]


class MempoolRow(msgspec.Struct, frozen=True):
    """A pending transaction without its bytes: their numbers alone."""

    transaction_hash: str
    fee_units: int
    encoding_bytes: int
    signature_bytes: int
    sequence: int


class SpentOutput(msgspec.Struct, frozen=True):
    """An output and the transaction that spends it. `block_height` is null while it is unconfirmed itself."""

    transaction_hash: str
    output_index: int
    wallet_id: str
    amount_units: int
    block_height: int | None
    is_coinbase: bool
    spent_in_tx_hash: str


class ActivityRow(msgspec.Struct, frozen=True):
    """The chain at its tip, and its blocks since a moment. `lowest` is null where there are none."""

    tip_height: int
    updated_at: datetime
    average_block_time: Decimal
    current_difficulty: int
    circulating_coins: Decimal
    total_coins: Decimal
    blocks: int
    lowest: int | None
    payments: int
    fees: Decimal


class StoredTransaction(msgspec.Struct, frozen=True):
    """A confirmed transaction: its bytes, and what the columns say about them."""

    block_height: int
    block_position: int
    block_id: UUID
    transaction_hash: str
    encoding: bytes
    signature: bytes | None
    sender_wallet_id: str | None
    recipient_wallet_id: str
    amount: Decimal
    fee: Decimal
    memo: str
    timestamp: datetime
    size_bytes: int


class StoredOutput(msgspec.Struct, frozen=True):
    """A row of `utxos`."""

    transaction_hash: str
    output_index: int
    wallet_id: str
    amount_units: int
    is_coinbase: bool
    is_change: bool
    block_height: int | None


class StoredSpend(msgspec.Struct, frozen=True):
    """Which input of a transaction spends an output."""

    spent_in_tx_hash: str
    spent_input_index: int
    transaction_hash: str
    output_index: int


class ConfirmedOutput(msgspec.Struct, frozen=True):
    """A confirmed output. `is_spent`: the transaction that spends it is confirmed as well."""

    transaction_hash: str
    output_index: int
    wallet_id: str
    amount_units: int
    block_height: int
    is_coinbase: bool
    spent_in_tx_hash: str | None
    is_spent: bool


class WalletSql(Statements, file="wallets.sql"):
    """Wallets, their keys and balances."""

    wallets_by_ids: Query[Wallet]
    wallets_by_users: Query[Wallet]
    balances_by_wallets: Query[WalletBalance]
    pending_by_wallets: Query[WalletPending]
    utxos_by_wallet: Rows[Output]
    insert_wallet: Query[str]
    public_keys: Query[tuple[str, bytes]]
    keys_to_rewrap: Query[WalletKey]
    count_keys_to_rewrap: Query[int]
    rewrap_keys: Command
    lock_balances: Command
    wallet_balance_sums: Query[tuple[str, Decimal]]
    store_balances: Command


class BlockSql(Statements, file="blocks.sql"):
    """Blocks, and what connecting one changes."""

    blocks_by_ids: Query[Block]
    blocks_by_hashes: Query[Block]
    blocks_by_previous_hashes: Query[Block]
    blocks_by_heights: Query[Block]
    blocks: Rows[Block]
    blocks_by_miner: Rows[Block]
    recent_block_times: Query[int]
    lock_block_balances: Command
    insert_block: Query[Block]
    insert_coinbase: Command
    insert_coinbase_output: Command
    confirm_transactions: Command
    confirm_outputs: Query[ConfirmedOutputs]


class ChainSql(Statements, file="chain.sql"):
    """The chain as a whole."""

    chain_state: Keyed[ChainState]
    chain_info: Query[ChainState]
    lock_genesis: Command
    lock_chain: Query[int]
    chain_head: Query[HeadRow]
    lock_chain_head: Query[HeadRow]
    put_chain_head: Command
    database_time: Query[datetime]


class TransactionSql(Statements, file="transactions.sql"):
    """Transactions and their outputs."""

    transactions_by_hashes: Query[Transaction]
    transactions_by_block: Rows[Transaction]
    leaves_by_heights: Query[BlockLeaves]
    transactions: Rows[Transaction]
    transactions_sent: Rows[Transaction]
    transactions_received: Rows[Transaction]
    outputs_by_transaction: Keyed[Output]
    inputs_by_transaction: Keyed[Output]


class MempoolSql(Statements, file="mempool.sql"):
    """Pending transactions: what is mined of them, and what expires."""

    mempool: Rows[PendingTransaction]
    mempool_is_full: Query[bool]
    template_basis: Query[TemplateBasis]
    pending_transactions: Query[MempoolRow]
    pending_parents: Query[tuple[str, str]]
    transactions_to_mine: Query[tuple[str, bytes, bytes]]
    outputs_spent_by: Query[SpentOutput]
    overdue_senders: Query[str]
    overdue_family: Query[OverdueTransaction]
    release_inputs: Command
    delete_outputs: Command
    fail_transactions: Command


class PaymentSql(Statements, file="payments.sql"):
    """What a payment is built from and checked against."""

    lock_payer: Query[str]
    payer: Query[PayerRow]
    submitter: Query[SubmitterRow]
    unspent_at: Query[UnspentOutput]
    accept_payment: Query[int]


class ReplaySql(Statements, file="replay.sql"):
    """Everything a replay of the chain reads."""

    replay_blocks: Query[BlockRow]
    replay_transactions: Query[StoredTransaction]
    replay_outputs: Query[StoredOutput]
    replay_spends: Query[StoredSpend]
    replay_mempool: Query[tuple[int, str, bytes]]
    replay_confirmed_outputs: Query[ConfirmedOutput]
    replay_balances: Query[tuple[str, int]]


class BeneficiarySql(Statements, file="beneficiaries.sql"):
    """Saved recipients."""

    beneficiaries_by_ids: Query[Beneficiary]
    beneficiaries_by_user: Rows[Beneficiary]
    insert_beneficiary: Query[tuple[UUID | None]]
    beneficiary: Query[Beneficiary]
    update_beneficiary: Query[Beneficiary]
    delete_beneficiary: Command


class StatisticsSql(Statements, file="statistics.sql"):
    """Sums over the chain, and its payments in order."""

    activity_since: Query[ActivityRow]
    payments_from_height: Query[tuple[Decimal, int, int]]
    largest_payments_from_height: Query[ConfirmedPayment]
    payments_after: Query[ConfirmedPayment]
    last_position: Query[ChainPosition]


class CounterSql(Statements, file="counters.sql"):
    """What the chain counts, and what it should."""

    differing_blocks: Query[CounterDifference]
    differing_totals: Query[CounterDifference]
    lock_chain: Command
    mend_totals: Query[Mended]

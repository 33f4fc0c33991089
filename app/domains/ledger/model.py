"""Records of the ledger house: rows as they are stored, and the values its services take and give.

Amounts are coins as `Decimal` with 8 decimals; hashes and wallet ids are 64 lower-case hex digits.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import msgspec


class Custody(StrEnum):
    """Who holds a wallet's private key."""

    CUSTODIAL = "custodial"
    EXTERNAL = "external"


class TransactionStatus(StrEnum):
    """Where a transaction stands. A failed one has released what it meant to spend."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    FAILED = "failed"


class Wallet(msgspec.Struct, frozen=True):
    """What the chain shows of a wallet. `public_key` is DER."""

    wallet_id: str
    user_id: UUID
    public_key: bytes
    custody: str
    created_at: datetime


class WalletBalance(msgspec.Struct, frozen=True):
    """What only the owner sees: coins that can be spent now."""

    wallet_id: str
    user_id: UUID
    balance: Decimal
    updated_at: datetime


class WalletPending(msgspec.Struct, frozen=True):
    """Coins on the way: unconfirmed payments to the wallet and from it, and rewards that are not mature yet."""

    wallet_id: str
    incoming: Decimal
    outgoing: Decimal
    immature: Decimal


class WalletKey(msgspec.Struct, frozen=True):
    """A custodial wallet's sealed private key."""

    wallet_id: str
    user_id: UUID
    kek_id: str
    wrapped_key: bytes
    ciphertext: bytes


class Block(msgspec.Struct, frozen=True):
    """A block's header and what follows from its body. `miner_reward` is subsidy plus `fees`."""

    id: UUID
    height: int
    block_hash: str
    previous_hash: str
    version: int
    merkle_root: str
    timestamp: datetime
    difficulty: int
    nonce: int
    miner_wallet_id: str
    miner_reward: Decimal
    fees: Decimal
    transaction_count: int
    size_bytes: int


class Transaction(msgspec.Struct, frozen=True):
    """A transaction. A coinbase has no sender; block fields are None until it is confirmed.

    `amount` is what the recipient gets: the sum of the outputs that are not change.
    """

    transaction_hash: str
    sender_wallet_id: str | None
    recipient_wallet_id: str
    amount: Decimal
    fee: Decimal
    memo: str
    timestamp: datetime
    status: str
    failure_reason: str | None
    size_bytes: int
    block_height: int | None
    block_position: int | None


class Output(msgspec.Struct, frozen=True):
    """A transaction output. `block_height` is None while unconfirmed, the spending fields while unspent."""

    id: UUID
    transaction_hash: str
    output_index: int
    wallet_id: str
    amount: Decimal
    is_coinbase: bool
    is_change: bool
    block_height: int | None
    spent_in_tx_hash: str | None
    spent_input_index: int | None


class Beneficiary(msgspec.Struct, frozen=True):
    """A saved recipient."""

    id: UUID
    user_id: UUID
    beneficiary_wallet_id: str
    beneficiary_name: str | None
    nickname: str | None
    created_at: datetime


class ChainState(msgspec.Struct, frozen=True):
    """The tip and its sums (the seed's `blockchain_info`). `current_difficulty` is what the next block must meet."""

    network: bytes
    coinbase_maturity: int
    tip_hash: str
    tip_height: int
    total_coins: Decimal
    circulating_coins: Decimal
    burned_coins: Decimal
    total_transactions: int
    total_blocks: int
    current_difficulty: int
    average_block_time: Decimal
    halving_height: int
    current_halving_number: int
    updated_at: datetime

"""Records of the ledger house: rows as they are stored, and the values its services take and give.

Amounts are coins as `Decimal` with 8 decimals; hashes and wallet ids are 64 lower-case hex digits.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from app.kit.changes import Changes
from app.kit.errors import InvalidInput, Problem

MAX_BRANCH_NODES = 32
MAX_INPUTS = 256
MAX_OUTPUTS = 256


class Custody(StrEnum):
    """Who holds a wallet's private key."""

    CUSTODIAL = "custodial"
    EXTERNAL = "external"


class TransactionStatus(StrEnum):
    """The state of a transaction. A failed one has released its inputs."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    FAILED = "failed"


class Wallet(msgspec.Struct, frozen=True):
    """The public part of a wallet. `public_key` is DER."""

    wallet_id: str
    user_id: UUID
    public_key: bytes
    custody: str
    created_at: datetime


class WalletBalance(msgspec.Struct, frozen=True):
    """The coins that a wallet can spend now. Only its owner sees them."""

    wallet_id: str
    user_id: UUID
    balance: Decimal
    updated_at: datetime


class WalletPending(msgspec.Struct, frozen=True):
    """Unconfirmed payments to and from a wallet, and its immature rewards."""

    wallet_id: str
    incoming: Decimal
    outgoing: Decimal
    immature: Decimal


class WalletKey(msgspec.Struct, frozen=True):
    """A custodial wallet's encrypted private key."""

    wallet_id: str
    user_id: UUID
    kek_id: str
    wrapped_key: bytes
    ciphertext: bytes


class Block(msgspec.Struct, frozen=True):
    """A block's header, and sums over its transactions. `miner_reward` is subsidy plus `fees`."""

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

    `amount` is what the recipient receives: the sum of the outputs that are not change.
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


class PendingTransaction(Transaction, frozen=True):
    """A transaction in the mempool. `sequence` is the order of acceptance: parents come before children."""

    sequence: int


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


class BeneficiaryChanges(Changes, frozen=True, kw_only=True):
    """Changes to the names of a beneficiary: UNSET leaves a name unchanged, None clears it."""

    name: str | UnsetType | None = UNSET
    nickname: str | UnsetType | None = UNSET


class TransferCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A payment from a custodial wallet. A fee of None means the minimum fee."""

    recipient_wallet_id: str
    amount: Decimal
    fee: Decimal | None = None
    memo: str = ""
    allow_high_fee: bool = False


class UnsignedTransaction(msgspec.Struct, frozen=True):
    """A payment for its owner to sign. `encoding` is what is signed, `hash` its SHA-256. No coin is reserved."""

    encoding: bytes
    hash: str
    fee: Decimal
    change: Decimal


class KeyRotation(msgspec.Struct, frozen=True):
    """The progress of a key rotation, in wallet keys."""

    rewrapped: int
    total: int


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


class TemplateBasis(msgspec.Struct, frozen=True):
    """What a block template is built from. `newest_sequence` is the newest pending transaction's; 0: there is none."""

    tip_hash: str
    newest_sequence: int


class ChainPosition(msgspec.Struct, frozen=True):
    """The position of a confirmed transaction in the chain."""

    block_height: int
    block_position: int


class ConfirmedPayment(msgspec.Struct, frozen=True):
    """A confirmed transaction that is not a coinbase. `amount` is in coins, without change."""

    block_height: int
    block_position: int
    transaction_hash: str
    sender_wallet_id: str
    recipient_wallet_id: str
    amount: Decimal
    confirmed_at: datetime


class Rejection(StrEnum):
    """Why a submitted transaction is rejected."""

    MALFORMED = "malformed"
    WRONG_NETWORK = "wrong_network"
    NOT_YOURS = "not_yours"
    BAD_SIGNATURE = "bad_signature"
    OUTPUT_NOT_AVAILABLE = "output_not_available"
    IMMATURE_COINBASE = "immature_coinbase"
    UNCONFIRMED_INPUT = "unconfirmed_input"
    VALUE_NOT_CONSERVED = "value_not_conserved"
    NOT_ONE_RECIPIENT = "not_one_recipient"
    TIMESTAMP_OUT_OF_RANGE = "timestamp_out_of_range"


class NotVerified(Problem):
    """Verify your e-mail address first."""


class WalletIsExternal(Problem):
    """Moneta does not hold this wallet's key. Sign the payment yourself and use submitTransaction."""


class RecipientNotFound(Problem):
    """No wallet has this id."""


class InsufficientFunds(Problem):
    """The wallet's spendable coins do not cover the payment and its fee."""

    field = "amount"

    def __init__(self, available: Decimal) -> None:
        super().__init__()
        self.available = available


class TooManyCoins(Problem):
    """The wallet's coins cover the payment, but are too small for one transaction. Pay less at once."""

    field = "amount"

    def __init__(self, payable: Decimal) -> None:
        super().__init__()
        self.payable = payable


class UnconfirmedChainTooLong(Problem):
    """The payment would build on too many unconfirmed ones. Wait for the next block."""


class MempoolFull(Problem):
    """Too many transactions wait for a block. Try again shortly."""


class FeeTooLow(Problem):
    """The fee is below the least that is accepted."""

    field = "fee"

    def __init__(self, minimum: Decimal) -> None:
        super().__init__()
        self.minimum = minimum


class FeeTooHigh(Problem):
    """The fee looks like a mistake. Confirm it with allowHighFee if it is none."""

    field = "fee"

    def __init__(self, maximum: Decimal) -> None:
        super().__init__()
        self.maximum = maximum


class TransactionRejected(Problem):
    """The transaction breaks a rule."""

    def __init__(self, reason: Rejection, message: str) -> None:
        field = "signature" if reason is Rejection.BAD_SIGNATURE else "transaction"
        super().__init__(message, path=(field,))
        self.reason = reason


class BeneficiaryExists(Problem):
    """This wallet is among your beneficiaries already."""

    field = "wallet_id"


class PublicKeyTaken(InvalidInput):
    """This public key has a wallet already."""

    def __init__(self) -> None:
        super().__init__("public_key", "This public key has a wallet already.")

"""Transactions and their canonical encoding (docs/transaction-encoding.md).

The encoding is a bijection: bytes either decode to the one transaction that encodes to them, or are refused. The hash
is taken over it and the signature is not part of it, so nobody can change a transaction's hash in transit.
"""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from app.domains.ledger.model import MAX_INPUTS, MAX_OUTPUTS
from app.domains.ledger.rules.amounts import MAX_MONEY_UNITS
from app.domains.ledger.rules.encoding import MalformedEncoding, Reader, compact_size, compact_size_length
from app.domains.ledger.rules.hashing import HASH_BYTES, sha256
from app.domains.ledger.rules.memo import MAX_MEMO_BYTES, decode_memo, memo_fault

TRANSACTION_VERSION = 1
NETWORK_BYTES = 4
MAX_HEIGHT = 2**31 - 1
# 9999-12-31T23:59:59.999Z, the last moment that a datetime or a timestamptz at the edges can hold.
MAX_TIMESTAMP_MS = 253_402_300_799_999
# An RSA-4096 signature.
MAX_SIGNATURE_BYTES = 512

# The sender of a coinbase, and the wallet that burns what it is paid: no public key is known to hash to zero.
ZERO_WALLET_ID = bytes(HASH_BYTES)

# (public key as DER, message, signature) -> whether the key signed the message. Must not raise.
SignatureCheck: TypeAlias = Callable[[bytes, bytes, bytes], bool]


class MalformedTransaction(MalformedEncoding):
    """Not a transaction; the message is the reason."""


class OutPoint(msgspec.Struct, frozen=True, order=True):
    """Identifies an output: its transaction, and its index there from 0."""

    transaction_hash: bytes
    output_index: int


class TransactionOutput(msgspec.Struct, frozen=True):
    """An amount that the owner of a wallet may spend."""

    wallet_id: bytes
    amount_units: int


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """A payment by one sender, or the coinbase of a block. Its values are not checked until it is encoded."""

    network: bytes
    """Four magic bytes, so that a signature for one network is invalid on another."""
    sender_wallet_id: bytes
    """Owner of every input; 32 zero bytes make the transaction a coinbase."""
    inputs: tuple[OutPoint, ...]
    outputs: tuple[TransactionOutput, ...]
    fee_units: int
    timestamp_ms: int
    """Unix time by the sender's clock. No rule compares it with a block's time."""
    memo: str = ""
    height: int | None = None
    """Height of the coinbase's block, which makes each coinbase unique (as BIP 34 does); None in all others."""
    version: int = TRANSACTION_VERSION

    @property
    def is_coinbase(self) -> bool:
        """Whether it issues new coins."""
        return self.sender_wallet_id == ZERO_WALLET_ID

    @property
    def output_units(self) -> int:
        """Sum of the outputs, without the fee."""
        return sum(output.amount_units for output in self.outputs)


class SignedTransaction(msgspec.Struct, frozen=True):
    """A transaction as a block carries it."""

    transaction: Transaction
    signature: bytes
    """RSA-PSS-SHA256 over the encoding; empty for a coinbase."""


def encode(transaction: Transaction) -> bytes:
    """Returns the bytes that are hashed and signed. Raises MalformedTransaction for a value that has no encoding."""
    _check(transaction)
    parts = [
        transaction.version.to_bytes(4, "little"),
        transaction.network,
        transaction.sender_wallet_id,
        compact_size(len(transaction.inputs)),
    ]
    for spent in transaction.inputs:
        parts += (spent.transaction_hash, spent.output_index.to_bytes(4, "little"))
    parts.append(compact_size(len(transaction.outputs)))
    for output in transaction.outputs:
        parts += (output.wallet_id, output.amount_units.to_bytes(8, "little"))
    memo = transaction.memo.encode()
    parts += (
        transaction.fee_units.to_bytes(8, "little"),
        transaction.timestamp_ms.to_bytes(8, "little"),
        compact_size(len(memo)),
        memo,
    )
    if transaction.height is not None:
        parts.append(transaction.height.to_bytes(4, "little"))
    return b"".join(parts)


def decode(data: bytes) -> Transaction:
    """Returns the transaction whose encoding is `data`. Raises MalformedTransaction for any other bytes."""
    reader = Reader(data, MalformedTransaction)
    version = reader.unsigned(4, "the version")
    network = reader.take(NETWORK_BYTES, "the network")
    sender_wallet_id = reader.take(HASH_BYTES, "the sender")
    inputs = tuple(
        OutPoint(reader.take(HASH_BYTES, "an input"), reader.unsigned(4, "an input"))
        for _ in range(reader.count(MAX_INPUTS, "the number of inputs"))
    )
    outputs = tuple(
        TransactionOutput(reader.take(HASH_BYTES, "an output"), reader.unsigned(8, "an output"))
        for _ in range(reader.count(MAX_OUTPUTS, "the number of outputs"))
    )
    fee_units = reader.unsigned(8, "the fee")
    timestamp_ms = reader.unsigned(8, "the timestamp")
    memo = reader.take(reader.count(MAX_MEMO_BYTES, "the memo's length"), "the memo")
    is_coinbase = sender_wallet_id == ZERO_WALLET_ID
    height = reader.unsigned(4, "the height") if is_coinbase else None
    reader.finish()
    transaction = Transaction(
        version=version,
        network=network,
        sender_wallet_id=sender_wallet_id,
        inputs=inputs,
        outputs=outputs,
        fee_units=fee_units,
        timestamp_ms=timestamp_ms,
        memo=decode_memo(memo, MalformedTransaction),
        height=height,
    )
    _check(transaction)
    return transaction


def transaction_hash(transaction: Transaction) -> bytes:
    """SHA-256 of the encoding; raises MalformedTransaction."""
    return sha256(encode(transaction))


def signed_size(encoding_bytes: int, signature_bytes: int) -> int:
    """Bytes that a transaction takes in a block: its encoding, then its signature behind a CompactSize length."""
    return encoding_bytes + compact_size_length(signature_bytes) + signature_bytes


def _check(transaction: Transaction) -> None:
    if transaction.version != TRANSACTION_VERSION:
        raise MalformedTransaction(f"version {transaction.version} is not known")
    if len(transaction.network) != NETWORK_BYTES:
        raise MalformedTransaction(f"the network is {NETWORK_BYTES} bytes")
    if len(transaction.sender_wallet_id) != HASH_BYTES:
        raise MalformedTransaction(f"a wallet id is {HASH_BYTES} bytes")
    if not 0 <= transaction.timestamp_ms <= MAX_TIMESTAMP_MS:
        raise MalformedTransaction("the timestamp is out of range")
    _check_inputs(transaction)
    _check_outputs(transaction)
    fault = memo_fault(transaction.memo)
    if fault is not None:
        raise MalformedTransaction(fault)
    if transaction.is_coinbase:
        _check_coinbase(transaction)
    elif not transaction.inputs:
        raise MalformedTransaction("nothing is spent")
    elif not transaction.outputs:
        raise MalformedTransaction("nobody is paid")
    elif transaction.height is not None:
        raise MalformedTransaction("only a coinbase has a height")


def _check_inputs(transaction: Transaction) -> None:
    inputs = transaction.inputs
    if len(inputs) > MAX_INPUTS:
        raise MalformedTransaction(f"more than {MAX_INPUTS} inputs")
    for spent in inputs:
        if len(spent.transaction_hash) != HASH_BYTES:
            raise MalformedTransaction(f"a transaction hash is {HASH_BYTES} bytes")
        if not 0 <= spent.output_index < MAX_OUTPUTS:
            raise MalformedTransaction(f"output index {spent.output_index} is out of range")
    if len(inputs) > 1 and len(set(inputs)) < len(inputs):
        raise MalformedTransaction("an output is spent twice")


def _check_outputs(transaction: Transaction) -> None:
    outputs = transaction.outputs
    if len(outputs) > MAX_OUTPUTS:
        raise MalformedTransaction(f"more than {MAX_OUTPUTS} outputs")
    total_units = transaction.fee_units
    if total_units < 0:
        raise MalformedTransaction("the fee is negative")
    for output in outputs:
        if len(output.wallet_id) != HASH_BYTES:
            raise MalformedTransaction(f"a wallet id is {HASH_BYTES} bytes")
        if output.amount_units < 1:
            raise MalformedTransaction("an output pays nothing")
        total_units += output.amount_units
    if total_units > MAX_MONEY_UNITS:
        raise MalformedTransaction("outputs and fee exceed all the money there can be")


def _check_coinbase(transaction: Transaction) -> None:
    # No outputs are allowed too: once the subsidy is zero, a block without fees has nothing to pay.
    if transaction.inputs:
        raise MalformedTransaction("a coinbase spends nothing")
    if transaction.fee_units:
        raise MalformedTransaction("a coinbase pays no fee")
    if transaction.height is None:
        raise MalformedTransaction("a coinbase names its height")
    if not 0 <= transaction.height <= MAX_HEIGHT:
        raise MalformedTransaction("the height is out of range")

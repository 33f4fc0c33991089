"""Whether the rows of a block agree with its bytes."""

import msgspec

from app.domains.ledger.proof import header_of
from app.domains.ledger.rules.amounts import to_coins
from app.domains.ledger.rules.block import Block, BlockDelta, block_size
from app.domains.ledger.rules.hashing import sha256
from app.domains.ledger.rules.timestamps import to_datetime
from app.domains.ledger.rules.transaction import (
    MalformedTransaction,
    OutPoint,
    SignedTransaction,
    Transaction,
    decode,
    signed_size,
)
from app.domains.ledger.statements import BlockRow, StoredOutput, StoredTransaction


class Inconsistency(Exception):
    """The tables break the rules at `height`."""

    def __init__(self, height: int, reason: str) -> None:
        super().__init__(f"block {height}: {reason}")
        self.height = height
        self.reason = reason


class StoredBlock(msgspec.Struct, frozen=True):
    """All rows of one block. `spends`: (transaction hash, index) -> (spender, input index)."""

    row: BlockRow
    transactions: list[StoredTransaction]
    outputs: list[StoredOutput]
    spends: dict[tuple[str, int], tuple[str, int]]


def decoded(stored: StoredBlock) -> Block:
    """Returns the block whose bytes are stored. Raises Inconsistency if they are malformed."""
    row = stored.row
    return Block(
        header_of(row),
        tuple(_signed(row.height, position, entry) for position, entry in enumerate(stored.transactions)),
    )


def check_against(stored: StoredBlock, block: Block, delta: BlockDelta) -> None:
    """Raises Inconsistency if a column, an output or a spend differs from the (checked) block."""
    _check_row(stored, block, delta)
    for entry, signed in zip(stored.transactions, block.transactions, strict=True):
        _check_columns(stored, entry, signed.transaction)
    _check_outputs(stored, block, delta)
    _check_spends(stored, block, delta)


def _signed(height: int, position: int, entry: StoredTransaction) -> SignedTransaction:
    what = f"transaction {position}"
    if entry.block_position != position:
        raise Inconsistency(height, f"{what} is missing")
    if sha256(entry.encoding).hex() != entry.transaction_hash:
        raise Inconsistency(height, f"{what}: its bytes do not hash to {entry.transaction_hash}")
    try:
        return SignedTransaction(decode(entry.encoding), entry.signature or b"")
    except MalformedTransaction as fault:
        raise Inconsistency(height, f"{what}: {fault}") from None


def _check_row(stored: StoredBlock, block: Block, delta: BlockDelta) -> None:
    row, coinbase = stored.row, block.transactions[0].transaction
    paid = {output.wallet_id.hex() for output in coinbase.outputs}
    _compare(
        row,
        "blocks",
        {
            "block_hash": delta.block_hash.hex(),
            "timestamp": to_datetime(block.header.timestamp_s * 1000),
            "miner_reward": to_coins(coinbase.output_units),
            "miner_wallet_id": min(paid, default=row.miner_wallet_id),
            "fees": to_coins(delta.fee_units),
            "transaction_count": len(block.transactions),
            "size_bytes": block_size([entry.encoding for entry in stored.transactions], block.transactions),
        },
        row.height,
    )


def _check_columns(stored: StoredBlock, entry: StoredTransaction, transaction: Transaction) -> None:
    sender = transaction.sender_wallet_id
    given = [output for output in transaction.outputs if output.wallet_id != sender]
    recipients = {output.wallet_id.hex() for output in given}
    _compare(
        entry,
        f"transaction {entry.block_position}: transactions",
        {
            "block_id": stored.row.id,
            "sender_wallet_id": None if transaction.is_coinbase else sender.hex(),
            "recipient_wallet_id": (
                entry.recipient_wallet_id if entry.recipient_wallet_id in recipients else min(recipients, default=None)
            ),
            "amount": to_coins(sum(output.amount_units for output in given)),
            "fee": to_coins(transaction.fee_units),
            "memo": transaction.memo,
            "timestamp": to_datetime(transaction.timestamp_ms),
            "size_bytes": signed_size(len(entry.encoding), len(entry.signature or b"")),
        },
        stored.row.height,
    )


def _compare(row: object, table: str, expected: dict[str, object], height: int) -> None:
    for name, value in expected.items():
        if getattr(row, name) != value:
            raise Inconsistency(height, f"{table}.{name} is {getattr(row, name)}, the bytes make it {value}")


def _check_outputs(stored: StoredBlock, block: Block, delta: BlockDelta) -> None:
    height = stored.row.height
    senders = {
        digest: signed.transaction.sender_wallet_id
        for digest, signed in zip(delta.transaction_hashes, block.transactions, strict=True)
    }
    rows = {OutPoint(bytes.fromhex(row.transaction_hash), row.output_index): row for row in stored.outputs}
    for outpoint, utxo in delta.created.items():
        expected = StoredOutput(
            outpoint.transaction_hash.hex(),
            outpoint.output_index,
            utxo.wallet_id.hex(),
            utxo.amount_units,
            utxo.is_coinbase,
            utxo.wallet_id == senders[outpoint.transaction_hash],
            height,
        )
        found = rows.pop(outpoint, None)
        if found != expected:
            raise Inconsistency(
                height, f"the row of {_name(expected.transaction_hash, outpoint.output_index)} is {found}"
            )
    for row in rows.values():
        raise Inconsistency(
            height, f"there is a row of {_name(row.transaction_hash, row.output_index)}, which nothing made"
        )


def _check_spends(stored: StoredBlock, block: Block, delta: BlockDelta) -> None:
    expected = {
        (outpoint.transaction_hash.hex(), outpoint.output_index): (digest.hex(), index)
        for digest, signed in zip(delta.transaction_hashes, block.transactions, strict=True)
        for index, outpoint in enumerate(signed.transaction.inputs)
    }
    for key in sorted(expected.keys() | stored.spends.keys()):
        if expected.get(key) != stored.spends.get(key):
            raise Inconsistency(
                stored.row.height,
                f"{_name(*key)} is spent by {expected.get(key)}, and marked as spent by {stored.spends.get(key)}",
            )


def _name(transaction_hash: str, output_index: int) -> str:
    return f"output {output_index} of {transaction_hash}"

"""Block templates: blocks that lack only their nonce."""

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from app.domains.ledger.model import TemplateBasis
from app.domains.ledger.rules.assembly import MempoolEntry, choose_transactions
from app.domains.ledger.rules.block import MAX_BLOCK_BYTES, Block, latest_past
from app.domains.ledger.rules.encoding import compact_size_length
from app.domains.ledger.rules.hashing import sha256
from app.domains.ledger.rules.header import HEADER_BYTES, BlockHeader
from app.domains.ledger.rules.merkle import merkle_root
from app.domains.ledger.rules.progress import Progress
from app.domains.ledger.rules.spending import Utxo, check_payment
from app.domains.ledger.rules.subsidy import subsidy_units
from app.domains.ledger.rules.transaction import (
    ZERO_WALLET_ID,
    MalformedTransaction,
    OutPoint,
    SignedTransaction,
    Transaction,
    TransactionOutput,
    decode,
    encode,
    signed_size,
)
from app.domains.ledger.rules.violations import RuleBroken, Violation
from app.domains.ledger.services.head import Head, SpendingContext, read_database_time, read_head, read_spending_context
from app.domains.ledger.statements import MempoolSql
from app.kit.db import PUBLIC, Database

# Enough for several blocks. Later transactions are considered for the next template.
CONSIDERED_TRANSACTIONS = 10_000
# The size of the largest coinbase, which has one output.
_COINBASE_BYTES = 104
_ROOM_BYTES = MAX_BLOCK_BYTES - HEADER_BYTES - compact_size_length(CONSIDERED_TRANSACTIONS) - _COINBASE_BYTES

log = structlog.get_logger(__name__)


class NoChain(Exception):
    """There is no genesis block yet."""


class BlockTemplate(msgspec.Struct, frozen=True):
    """A block with nonce 0, and what it was built from."""

    block: Block
    basis: TemplateBasis


async def build_template(database: Database, miner_wallet_id: bytes, now_s: int) -> BlockTemplate:
    """Returns the best block for the current tip and mempool. Raises NoChain.

    A pending transaction that is not valid in a block is left out and logged: the mempool should not have it. If
    `now_s` is ahead of the database's clock, the database's clock is used.
    """
    async with database.snapshot(PUBLIC) as tx:
        head = await read_head(tx)
        if head is None:
            raise NoChain
        database_s = int((await read_database_time(tx)).timestamp())
        rows = await tx.fetch(MempoolSql.pending_transactions, CONSIDERED_TRANSACTIONS)
        parents = await tx.fetch(MempoolSql.pending_parents) if rows else []
        chosen = choose_transactions(
            [
                MempoolEntry(
                    bytes.fromhex(row.transaction_hash),
                    row.fee_units,
                    signed_size(row.encoding_bytes, row.signature_bytes),
                    row.sequence,
                )
                for row in rows
            ],
            [(bytes.fromhex(parent), bytes.fromhex(child)) for parent, child in parents],
            _ROOM_BYTES,
        )
        hashes = [transaction_hash.hex() for transaction_hash in chosen]
        bodies = {body[0]: body for body in await tx.fetch(MempoolSql.transactions_to_mine, hashes)}
        signed = [_decoded(*bodies[transaction_hash]) for transaction_hash in hashes]
        fit = [entry for entry in signed if entry is not None]
        senders = {entry.transaction.sender_wallet_id.hex() for entry in fit}
        context = await read_spending_context(tx, hashes, sorted(senders))
    timestamp_s = block_time(head.progress, now_s, database_s)
    block = await asyncio.to_thread(_assemble, head, fit, context, miner_wallet_id, timestamp_s)
    newest_sequence = max((row.sequence for row in rows), default=0)
    return BlockTemplate(block, TemplateBasis(head.progress.hash.hex(), newest_sequence))


def block_on(
    progress: Progress,
    network: bytes,
    payments: Sequence[tuple[bytes, SignedTransaction]],
    miner_wallet_id: bytes,
    timestamp_s: int,
) -> Block:
    """Returns a block over these payments, each with its hash, that pays subsidy and fees to the miner. Nonce 0."""
    height = progress.height + 1
    reward_units = subsidy_units(height) + sum(signed.transaction.fee_units for _, signed in payments)
    coinbase = Transaction(
        network=network,
        sender_wallet_id=ZERO_WALLET_ID,
        inputs=(),
        outputs=(TransactionOutput(miner_wallet_id, reward_units),) if reward_units else (),
        fee_units=0,
        timestamp_ms=timestamp_s * 1000,
        height=height,
    )
    header = BlockHeader(
        previous_hash=progress.hash,
        merkle_root=merkle_root([sha256(encode(coinbase)), *(payment_hash for payment_hash, _ in payments)]),
        height=height,
        timestamp_s=timestamp_s,
        difficulty_bits=progress.difficulty_bits,
        nonce=0,
    )
    return Block(header, (SignedTransaction(coinbase, b""), *(signed for _, signed in payments)))


def block_time(progress: Progress, now_s: int, database_s: int) -> int:
    """Returns the miner's time, within what the rules allow by the database's time, `database_s`."""
    return max(min(now_s, database_s), latest_past(progress.tip, database_s) + 1)


def _decoded(transaction_hash: str, encoding: bytes, signature: bytes) -> SignedTransaction | None:
    try:
        transaction = decode(encoding)
    except MalformedTransaction as fault:
        log.warning("template.left_out", transaction=transaction_hash, reason=str(fault))
        return None
    return SignedTransaction(transaction, signature)


def _assemble(
    head: Head, candidates: list[SignedTransaction], context: SpendingContext, miner_wallet_id: bytes, timestamp_s: int
) -> Block:
    height = head.progress.height + 1
    unspent = dict(context.unspent)
    payments = []
    for signed in candidates:
        transaction = signed.transaction
        transaction_hash = sha256(encode(transaction))
        try:
            if any(context.spenders.get(outpoint) != transaction_hash for outpoint in transaction.inputs):
                raise RuleBroken(Violation.OUTPUT_NOT_AVAILABLE, "an input is not set aside for it")
            check_payment(
                transaction,
                signed.signature,
                utxo=unspent.get,
                public_key=context.public_keys.get,
                height=height,
                rules=head.rules,
            )
        except RuleBroken as broken:
            log.warning("template.left_out", transaction=transaction_hash.hex(), reason=str(broken))
            continue
        for outpoint in transaction.inputs:
            del unspent[outpoint]
        for index, output in enumerate(transaction.outputs):
            if output.wallet_id != ZERO_WALLET_ID:
                unspent[OutPoint(transaction_hash, index)] = Utxo(output.wallet_id, output.amount_units, height, False)
        payments.append((transaction_hash, signed))
    return block_on(head.progress, head.network, payments, miner_wallet_id, timestamp_s)

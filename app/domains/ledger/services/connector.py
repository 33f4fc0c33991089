"""Connects a block: a constant number of statements, however many transactions it has."""

import asyncio
from datetime import datetime
from functools import partial

from app.domains.ledger import model
from app.domains.ledger.rules.amounts import to_coins
from app.domains.ledger.rules.block import Block, BlockDelta, block_size, check_block
from app.domains.ledger.rules.hashing import sha256
from app.domains.ledger.rules.spending import encode_for
from app.domains.ledger.rules.subsidy import halving_number, issued_units, next_halving_height
from app.domains.ledger.rules.timestamps import to_datetime
from app.domains.ledger.rules.transaction import ZERO_WALLET_ID, Transaction, encode, signed_size
from app.domains.ledger.services.head import Head, read_database_time, read_spending_context
from app.domains.ledger.statements import BlockSql, ChainSql
from app.domains.ledger.streams import CHAIN_STREAM, MEMPOOL_STREAM, MempoolChange, wallet_stream
from app.kit.db import Tx
from app.kit.events import EventLog, Fact


class NotInMempool(Exception):
    """The block has a transaction that is not in the mempool, or no longer."""


class MempoolMismatch(Exception):
    """The tables and the signed bytes of a pending transaction disagree. The block is not connected."""


async def connect_block(  # noqa: PLR0917  # six different types: no two can be confused
    tx: Tx, block: Block, miner_wallet_id: str, head: Head, now: datetime, events: EventLog
) -> model.Block:
    """Checks a block in full and connects it on top of `head`, which must be locked. Changed balances are dated `now`;
    the block's time is checked against the database's clock.

    Raises RuleBroken, NotInMempool or MempoolMismatch; the transaction must then be rolled back.
    """
    payments = [signed.transaction for signed in block.transactions[1:]]
    pending = await asyncio.to_thread(_hashes, payments, head.network)
    senders = sorted({payment.sender_wallet_id.hex() for payment in payments})
    context, connected_at = await read_spending_context(tx, pending, senders), await read_database_time(tx)
    delta = await asyncio.to_thread(
        partial(
            check_block,
            block,
            head.progress.tip,
            now_s=int(connected_at.timestamp()),
            utxo=context.unspent.get,
            public_key=context.public_keys.get,
            rules=head.rules,
        )
    )
    if delta.spenders != context.spenders:
        raise MempoolMismatch(f"block {block.header.height} spends other outputs than were set aside for it")
    parties = [{miner_wallet_id}, *map(_parties, payments)]
    await tx.execute(BlockSql.lock_block_balances, sorted(set().union(*parties)), head.maturing_height)
    stored = await _insert(tx, block, miner_wallet_id, delta, connected_at)
    if await tx.execute(BlockSql.confirm_transactions, pending, stored.id, stored.height) != len(pending):
        raise NotInMempool(f"block {stored.height} holds a transaction that does not wait")
    changed = await _confirm_outputs(tx, delta, pending, head, now)
    await _move_head(tx, block, delta, head, now)
    await events.append(tx, _facts(stored, delta.transaction_hashes, parties, changed))
    return stored


async def _insert(tx: Tx, block: Block, miner_wallet_id: str, delta: BlockDelta, connected_at: datetime) -> model.Block:
    """Inserts the block, its coinbase and the reward."""
    header, coinbase = block.header, block.transactions[0].transaction
    # The tables have one miner for each block. The rules would allow a coinbase to pay several.
    if any(output.wallet_id.hex() != miner_wallet_id for output in coinbase.outputs) or len(coinbase.outputs) > 1:
        raise ValueError("a coinbase pays the miner, in one output")
    encodings = [encode(signed.transaction) for signed in block.transactions]
    reward, timestamp = to_coins(coinbase.output_units), to_datetime(header.timestamp_s * 1000)
    stored = await tx.fetch_one(
        BlockSql.insert_block,
        header.height,
        delta.block_hash.hex(),
        header.previous_hash.hex(),
        header.version,
        header.merkle_root.hex(),
        timestamp,
        header.difficulty_bits,
        header.nonce,
        miner_wallet_id,
        reward,
        to_coins(delta.fee_units),
        len(block.transactions),
        block_size(encodings, block.transactions),
        connected_at,
    )
    assert stored is not None
    digest, encoding = delta.transaction_hashes[0].hex(), encodings[0]
    size_bytes = signed_size(len(encoding), 0)
    await tx.execute(
        BlockSql.insert_coinbase,
        digest,
        miner_wallet_id,
        reward,
        timestamp,
        encoding,
        size_bytes,
        stored.id,
        stored.height,
    )
    if coinbase.outputs:
        await tx.execute(BlockSql.insert_coinbase_output, digest, miner_wallet_id, reward, stored.height)
    return stored


async def _confirm_outputs(tx: Tx, delta: BlockDelta, pending: list[str], head: Head, now: datetime) -> list[str]:
    """Returns the wallets whose spendable balance changed."""
    found = await tx.fetch_one(BlockSql.confirm_outputs, pending, head.progress.height + 1, head.maturing_height, now)
    assert found is not None
    made = [utxo.amount_units for utxo in delta.created.values() if not utxo.is_coinbase]
    if (found.outputs, found.units, found.credits) != (len(made), sum(made), len(found.changed)):
        raise MempoolMismatch(
            f"block {head.progress.height + 1} makes {len(made)} outputs of {sum(made)} units, "
            f"the tables have {found.outputs} of {found.units}, and {len(found.changed)} of {found.credits} balances"
        )
    return found.changed


async def _move_head(tx: Tx, block: Block, delta: BlockDelta, head: Head, now: datetime) -> None:
    progress = head.progress.after(block.header, delta.block_hash)
    burned_units = head.burned_units + delta.burned_units
    await tx.execute(
        ChainSql.put_chain_head,
        head.network,
        head.coinbase_maturity,
        progress.hash.hex(),
        progress.height,
        to_coins(issued_units(progress.height) - burned_units),
        to_coins(burned_units),
        head.total_transactions + len(block.transactions),
        progress.height + 1,
        progress.difficulty_bits,
        progress.average_block_seconds,
        next_halving_height(progress.height),
        halving_number(progress.height),
        now,
    )


def _facts(stored: model.Block, hashes: tuple[bytes, ...], parties: list[set[str]], changed: list[str]) -> list[Fact]:
    height = stored.height
    facts = [
        Fact(wallet_stream(wallet_id), "transaction.confirmed", {"hash": digest.hex(), "height": height})
        for digest, wallet_ids in zip(hashes, parties, strict=True)
        for wallet_id in sorted(wallet_ids)
    ]
    # Wallets whose spendable or pending coins changed.
    affected = sorted(set(changed).union(*parties))
    facts += [Fact(wallet_stream(wallet_id), "balance.changed", {"height": height}) for wallet_id in affected]
    connected = {"height": height, "hash": stored.block_hash}
    facts.append(Fact(CHAIN_STREAM, "block.connected", connected))
    if stored.transaction_count > 1:
        # One event, however many it took: the block has their list. The coinbase was never in the mempool.
        facts.append(Fact(MEMPOOL_STREAM, MempoolChange.CONFIRMED, connected))
    return facts


def _hashes(transactions: list[Transaction], network: bytes) -> list[str]:
    return [sha256(encode_for(network, transaction)).hex() for transaction in transactions]


def _parties(transaction: Transaction) -> set[str]:
    """Returns the wallets of a transaction: the payer and all recipients."""
    wallets = {transaction.sender_wallet_id, *(output.wallet_id for output in transaction.outputs)}
    return {wallet_id.hex() for wallet_id in wallets if wallet_id != ZERO_WALLET_ID}

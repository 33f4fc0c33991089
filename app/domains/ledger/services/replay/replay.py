"""Reads the whole chain from genesis, and checks everything else that the tables say against it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from app.domains.ledger import model
from app.domains.ledger.rules.amounts import to_coins
from app.domains.ledger.rules.subsidy import halving_number, issued_units, next_halving_height
from app.domains.ledger.services.head import read_public_keys
from app.domains.ledger.services.replay.current_state import check_balances, check_unspent, read_mempool
from app.domains.ledger.services.replay.replayed_chain import ReplayedChain
from app.domains.ledger.services.replay.stored_block import Inconsistency, StoredBlock
from app.domains.ledger.statements import BlockRow, ChainSql, ReplaySql
from app.kit.db import SYSTEM, Database, Tx

# How many rows of one kind are in memory at a time, besides the unspent outputs. A block is never split.
BATCH_ROWS = 4_000
BATCH_BLOCKS = 200

Progressed = Callable[[int, int], None]
"""Called with (blocks checked, blocks in total) after each batch."""


class ReplayReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a replay. `wrong_height` and `reason` are None if no fault was found."""

    blocks: int
    """How many blocks were checked without a fault, genesis included."""
    transactions: int
    utxo_set_hash: str
    """Hash of the outputs that are unspent after those blocks. Without a fault the tables have the same."""
    wrong_height: int | None
    """The first height at which the tables break the rules; for sums and balances the tip's."""
    ahead: int
    """How many blocks state a time after they were connected, because a clock was wrong. They are valid."""
    reason: str | None


@dataclass(frozen=True)
class Replay:
    """Checks the stored chain with the rules that built it. Reads one snapshot, so mining may continue."""

    database: Database

    async def run(self, progressed: Progressed) -> ReplayReport:
        """Replays from genesis to the tip or the first fault."""
        async with self.database.snapshot(SYSTEM) as tx:
            info = await tx.fetch_one(ChainSql.chain_info)
            chain = ReplayedChain(info)
            wrong: Inconsistency | None = None
            try:
                if info is not None:
                    await self._blocks(tx, chain, progressed)
                    _check_sums(chain, info)
                elif await tx.fetch(ReplaySql.replay_blocks, 0, 1):
                    raise Inconsistency(0, "there are blocks, and blockchain_info is empty")
                mempool = await read_mempool(tx, chain)
                await check_unspent(tx, chain, mempool)
                await check_balances(tx, chain, mempool)
            except Inconsistency as found:
                wrong = found
        return ReplayReport(
            blocks=chain.progress.height + 1,
            transactions=chain.transactions,
            utxo_set_hash=(await asyncio.to_thread(chain.utxo_set_hash)).hex(),
            ahead=chain.ahead,
            wrong_height=None if wrong is None else wrong.height,
            reason=None if wrong is None else wrong.reason,
        )

    async def _blocks(self, tx: Tx, chain: ReplayedChain, progressed: Progressed) -> None:
        total = chain.claimed_height + 1
        progressed(0, total)
        while batch := await _batch(tx, chain.progress.height + 1):
            await self._check(tx, chain, batch)
            progressed(chain.progress.height + 1, max(total, chain.progress.height + 1))
        if chain.progress.height < chain.claimed_height:
            raise Inconsistency(chain.progress.height + 1, "the block is missing")

    async def _check(self, tx: Tx, chain: ReplayedChain, batch: list[BlockRow]) -> None:
        first, last = batch[0].height, batch[-1].height
        stored = {row.height: StoredBlock(row, [], [], {}) for row in batch}
        for transaction in await tx.fetch(ReplaySql.replay_transactions, first, last):
            if (block := stored.get(transaction.block_height)) is not None:
                block.transactions.append(transaction)
        blocks = {row.transaction_hash: block for block in stored.values() for row in block.transactions}
        for output in await tx.fetch(ReplaySql.replay_outputs, list(blocks)):
            blocks[output.transaction_hash].outputs.append(output)
        for spend in await tx.fetch(ReplaySql.replay_spends, list(blocks)):
            spender = spend.spent_in_tx_hash
            blocks[spender].spends[spend.transaction_hash, spend.output_index] = (spender, spend.spent_input_index)
        senders = {
            transaction.sender_wallet_id
            for block in stored.values()
            for transaction in block.transactions
            if transaction.sender_wallet_id is not None
        }
        unknown = sorted(sender for sender in senders if bytes.fromhex(sender) not in chain.public_keys)
        chain.public_keys |= await read_public_keys(tx, unknown)
        await asyncio.to_thread(chain.connect_all, list(stored.values()))


async def _batch(tx: Tx, height: int) -> list[BlockRow]:
    """Returns the next blocks: together BATCH_ROWS transactions at most, or one block."""
    batch: list[BlockRow] = []
    transactions = 0
    for row in await tx.fetch(ReplaySql.replay_blocks, height, BATCH_BLOCKS):
        transactions += row.transaction_count
        if batch and transactions > BATCH_ROWS:
            break
        batch.append(row)
    return batch


def _check_sums(chain: ReplayedChain, info: model.ChainState) -> None:
    progress = chain.progress
    height = progress.height
    expected = {
        "tip_height": height,
        "tip_hash": progress.hash.hex(),
        "circulating_coins": to_coins(issued_units(height) - chain.burned_units),
        "burned_coins": to_coins(chain.burned_units),
        "total_transactions": chain.transactions,
        "total_blocks": height + 1,
        "current_difficulty": progress.difficulty_bits,
        "average_block_time": progress.average_block_seconds,
        "halving_height": next_halving_height(height),
        "current_halving_number": halving_number(height),
    }
    for name, value in expected.items():
        stored = getattr(info, name)
        if stored != value:
            raise Inconsistency(height, f"blockchain_info.{name} is {stored}, the blocks make it {value}")

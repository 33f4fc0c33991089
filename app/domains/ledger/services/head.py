"""The stored tip of the chain, and the stored data that a block is checked against."""

from datetime import datetime

import msgspec

from app.domains.ledger.rules.amounts import to_units
from app.domains.ledger.rules.progress import Progress
from app.domains.ledger.rules.spending import ChainRules, Utxo
from app.domains.ledger.rules.transaction import OutPoint
from app.domains.ledger.statements import BlockSql, ChainSql, HeadRow, MempoolSql, WalletSql
from app.kit.crypto.rsa import verify
from app.kit.db import Executor
from app.kit.sql import Query


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What the next block builds on, and the sums that it changes."""

    network: bytes
    coinbase_maturity: int
    progress: Progress
    burned_units: int
    total_transactions: int

    @property
    def rules(self) -> ChainRules:
        """The rules of this chain, with real signatures."""
        return ChainRules(network=self.network, verify=verify, coinbase_maturity_blocks=self.coinbase_maturity)

    @property
    def maturing_height(self) -> int:
        """Height of the block whose reward becomes spendable when the next block is connected; may be below genesis.

        A reward is spendable in the block that is `coinbase_maturity` above its own, but never in its own.
        """
        return self.progress.height + 2 - max(self.coinbase_maturity, 1)


class SpendingContext(msgspec.Struct, frozen=True):
    """What transactions are checked against."""

    unspent: dict[OutPoint, Utxo]
    """The confirmed outputs that they spend."""
    spenders: dict[OutPoint, bytes]
    """Which of them spends each output, confirmed or not, according to the mempool."""
    public_keys: dict[bytes, bytes]


async def read_head(executor: Executor, query: Query[HeadRow] = ChainSql.chain_head) -> Head | None:
    """Returns the head, or None before genesis. Use `ChainSql.lock_chain_head` to lock it."""
    row = await executor.fetch_one(query)
    if row is None:
        return None
    progress = Progress(
        height=row.tip_height,
        hash=bytes.fromhex(row.tip_hash),
        difficulty_bits=row.current_difficulty,
        timestamps_s=tuple(await executor.fetch(BlockSql.recent_block_times, row.tip_height)),
    )
    return Head(
        network=row.network,
        coinbase_maturity=row.coinbase_maturity,
        progress=progress,
        burned_units=to_units(row.burned_coins),
        total_transactions=row.total_transactions,
    )


async def read_database_time(executor: Executor) -> datetime:
    """Returns the time of the database's clock, which blocks are dated and checked by on every machine."""
    now = await executor.fetch_one(ChainSql.database_time)
    assert now is not None
    return now


async def read_spending_context(executor: Executor, hashes: list[str], senders: list[str]) -> SpendingContext:
    """Returns what the transactions with these hashes and senders are checked against."""
    unspent: dict[OutPoint, Utxo] = {}
    spenders: dict[OutPoint, bytes] = {}
    for row in await executor.fetch(MempoolSql.outputs_spent_by, hashes):
        outpoint = OutPoint(bytes.fromhex(row.transaction_hash), row.output_index)
        spenders[outpoint] = bytes.fromhex(row.spent_in_tx_hash)
        if row.block_height is not None:
            unspent[outpoint] = Utxo(bytes.fromhex(row.wallet_id), row.amount_units, row.block_height, row.is_coinbase)
    return SpendingContext(unspent, spenders, await read_public_keys(executor, senders))


async def read_public_keys(executor: Executor, wallet_ids: list[str]) -> dict[bytes, bytes]:
    """Returns the public keys of these wallets."""
    rows = await executor.fetch(WalletSql.public_keys, wallet_ids)
    return {bytes.fromhex(wallet_id): public_key for wallet_id, public_key in rows}

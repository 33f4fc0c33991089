"""The chain: its tip, templates for its next block, and connecting a block."""

import asyncio
from dataclasses import dataclass

import msgspec

from app.domains.ledger import model
from app.domains.ledger.rules.block import Block
from app.domains.ledger.rules.header import mine
from app.domains.ledger.rules.progress import GENESIS_TIMESTAMP_S, NETWORK, Progress
from app.domains.ledger.rules.spending import COINBASE_MATURITY_BLOCKS
from app.domains.ledger.services.connector import connect_block
from app.domains.ledger.services.head import Head, read_head
from app.domains.ledger.services.templates import BlockTemplate, NoChain, block_on, build_template
from app.domains.ledger.statements import ChainSql, MempoolSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.events import EventLog

SOLVE_SLICE_ATTEMPTS = 20_000


class ChainMoved(Exception):
    """The block does not build on the tip: another block was connected first."""


@dataclass(frozen=True)
class Chain:
    """Reads and extends the chain. Any number of processes may connect blocks; one block at each height wins."""

    database: Database
    clock: Clock
    events: EventLog
    coinbase_maturity: int = COINBASE_MATURITY_BLOCKS
    """Used for a chain that this process creates. An existing chain keeps its own value."""
    network: bytes = NETWORK

    async def state(self) -> model.ChainState | None:
        """Returns the tip and its sums, or None before genesis."""
        return await self.database.fetch_one(ChainSql.chain_info)

    async def template_basis(self) -> model.TemplateBasis:
        """Returns what a new template would be built from: a cheap check whether one is out of date. Raises NoChain."""
        basis = await self.database.fetch_one(MempoolSql.template_basis)
        if basis is None:
            raise NoChain
        return basis

    async def ensure_genesis(self, miner_wallet_id: str) -> bool:
        """Connects the genesis block, which pays this wallet. Returns False if the chain has one already."""
        return await self.database.write(SYSTEM, lambda tx: self._begin(tx, miner_wallet_id))

    async def template(self, miner_wallet_id: str) -> BlockTemplate:
        """Returns a block over the mempool that lacks only its nonce. Raises NoChain."""
        return await build_template(self.database, bytes.fromhex(miner_wallet_id), int(self.clock.now().timestamp()))

    async def connect(self, block: Block, miner_wallet_id: str) -> model.Block:
        """Makes `block` the tip. `miner_wallet_id` is the wallet that its coinbase pays, if any.

        Raises NoChain, ChainMoved, RuleBroken, NotInMempool or MempoolMismatch; then nothing has changed.
        """
        return await self.database.write(SYSTEM, lambda tx: self._connect(tx, block, miner_wallet_id))

    async def _connect(self, tx: Tx, block: Block, miner_wallet_id: str) -> model.Block:
        head = await read_head(tx, ChainSql.lock_chain_head)
        if head is None:
            raise NoChain
        if block.header.previous_hash != head.progress.hash:
            raise ChainMoved
        return await connect_block(tx, block, miner_wallet_id, head, self.clock.now(), self.events)

    async def _begin(self, tx: Tx, miner_wallet_id: str) -> bool:
        await tx.execute(ChainSql.lock_genesis)
        if await read_head(tx) is not None:
            return False
        head = Head(
            network=self.network,
            coinbase_maturity=self.coinbase_maturity,
            progress=Progress.before_genesis(),
            burned_units=0,
            total_transactions=0,
        )
        block = block_on(head.progress, head.network, (), bytes.fromhex(miner_wallet_id), GENESIS_TIMESTAMP_S)
        await connect_block(tx, await solved(block), miner_wallet_id, head, self.clock.now(), self.events)
        return True


async def solved(block: Block) -> Block:
    """Returns the block with the first nonce that meets its difficulty, searched for at full speed."""
    nonce, first = None, 0
    while nonce is None:
        nonce = await asyncio.to_thread(mine, block.header, first, SOLVE_SLICE_ATTEMPTS)
        first += SOLVE_SLICE_ATTEMPTS
    return Block(msgspec.structs.replace(block.header, nonce=nonce), block.transactions)

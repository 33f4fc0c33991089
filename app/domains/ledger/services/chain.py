"""The chain: what its tip is, what the next block should hold, and the one way to add it."""

import asyncio
from dataclasses import dataclass

import msgspec

from app.domains.ledger import model
from app.domains.ledger.rules.block import Block
from app.domains.ledger.rules.header import mine
from app.domains.ledger.rules.progress import GENESIS_TIMESTAMP_S, NETWORK, Progress
from app.domains.ledger.rules.spending import COINBASE_MATURITY_BLOCKS
from app.domains.ledger.services.connector import extend
from app.domains.ledger.services.head import Head, read_head
from app.domains.ledger.services.templates import BlockTemplate, NoChain, block_on, build_template
from app.domains.ledger.statements import ChainSql, MempoolSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.events import EventLog

SOLVE_SLICE_ATTEMPTS = 20_000


class ChainMoved(Exception):
    """The block does not stand on the tip: another one came first."""


@dataclass(frozen=True)
class Chain:
    """The blocks, one upon the other. Any number of processes may connect; one block at each height wins."""

    database: Database
    clock: Clock
    events: EventLog
    coinbase_maturity: int = COINBASE_MATURITY_BLOCKS
    """For a chain that this process begins; afterwards the chain's own counts."""
    network: bytes = NETWORK

    async def state(self) -> model.ChainState | None:
        """The tip and its sums, or None before genesis."""
        return await self.database.fetch_one(ChainSql.chain_info)

    async def template_basis(self) -> model.TemplateBasis:
        """What a new template would be built from, as a cheap check whether one is out of date. Raises NoChain."""
        basis = await self.database.fetch_one(MempoolSql.template_basis)
        if basis is None:
            raise NoChain
        return basis

    async def ensure_genesis(self, miner_wallet_id: str) -> bool:
        """Begins the chain, its first reward for this wallet; False when it was begun before."""
        return await self.database.write(SYSTEM, lambda tx: self._begin(tx, miner_wallet_id))

    async def template(self, miner_wallet_id: str) -> BlockTemplate:
        """A block for the tip and the mempool that lacks only its nonce; raises NoChain."""
        return await build_template(self.database, bytes.fromhex(miner_wallet_id), int(self.clock.now().timestamp()))

    async def connect(self, block: Block, miner_wallet_id: str) -> model.Block:
        """Makes `block` the tip; `miner_wallet_id` is whom its coinbase pays, if it pays at all.

        Raises NoChain, ChainMoved, RuleBroken, NotInMempool or MempoolMismatch, and then nothing has changed.
        """
        return await self.database.write(SYSTEM, lambda tx: self._connect(tx, block, miner_wallet_id))

    async def _connect(self, tx: Tx, block: Block, miner_wallet_id: str) -> model.Block:
        head = await read_head(tx, ChainSql.lock_chain_head)
        if head is None:
            raise NoChain
        if block.header.previous_hash != head.progress.hash:
            raise ChainMoved
        return await extend(tx, block, miner_wallet_id, head, self.clock.now(), self.events)

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
        await extend(tx, await solved(block), miner_wallet_id, head, self.clock.now(), self.events)
        return True


async def solved(block: Block) -> Block:
    """The block with the first nonce that meets its difficulty, sought as fast as the machine can."""
    nonce, first = None, 0
    while nonce is None:
        nonce = await asyncio.to_thread(mine, block.header, first, SOLVE_SLICE_ATTEMPTS)
        first += SOLVE_SLICE_ATTEMPTS
    return Block(msgspec.structs.replace(block.header, nonce=nonce), block.transactions)

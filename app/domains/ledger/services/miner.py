"""The search for nonces. It is slow on purpose: the difficulty adapts to the hash rate that the worker is allowed."""

import asyncio
import random
import time
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from app.domains.ledger import model
from app.domains.ledger.rules.block import Block
from app.domains.ledger.rules.header import MAX_NONCE, mine
from app.domains.ledger.rules.violations import RuleBroken
from app.domains.ledger.services.chain import Chain, ChainMoved
from app.domains.ledger.services.connector import MempoolMismatch, NotInMempool
from app.domains.ledger.services.templates import BlockTemplate
from app.kit.errors import Unavailable
from app.kit.tasks import heed_cancellation
from app.kit.volatile import VolatileTopics

SLICE_S = 0.1
TIP_CHECK_S = 1.0
REBUILD_S = 2.0
RETRY_S = 1.0
# An unchanged template is rebuilt this often, to keep its block's time current.
TIMESTAMP_S = 5.0

MINING_TOPIC = "mining"
"""The volatile topic of mining progress, by the miner's wallet."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Miner:
    """Mines for one wallet. Several miners may run in several processes; the first to connect wins the height."""

    chain: Chain
    wallet_id: str
    hashes_per_s: int
    volatile: VolatileTopics

    async def run(self) -> None:
        """Mines until cancelled. Waits while the database is unavailable, and drops a block that is refused."""
        while True:
            heed_cancellation()
            try:
                await self.mine_block()
            except ChainMoved:
                log.info("miner.lost_race")
            except NotInMempool:
                log.info("miner.mempool_moved")
            except Unavailable as problem:
                log.warning("miner.waiting", reason=problem.message)
                await asyncio.sleep(RETRY_S)
            except (RuleBroken, MempoolMismatch) as fault:
                log.error("miner.block_refused", reason=str(fault))
                await asyncio.sleep(RETRY_S)

    async def mine_block(self) -> model.Block:
        """Searches for a block and connects it. Raises what `Chain.connect` does."""
        search = _Search(await self.chain.template(self.wallet_id))
        slice_attempts = max(1, round(self.hashes_per_s * SLICE_S))
        slice_s = slice_attempts / self.hashes_per_s
        while True:
            heed_cancellation()
            began = time.monotonic()
            found = await asyncio.to_thread(search.attempt, slice_attempts)
            self.volatile.publish_soon(MINING_TOPIC, self.wallet_id, search.progress(self.hashes_per_s))
            if found is not None:
                block = await self.chain.connect(found, self.wallet_id)
                log.info(
                    "miner.block", height=block.height, hash=block.block_hash, transactions=block.transaction_count
                )
                return block
            await asyncio.sleep(max(0.0, slice_s - (time.monotonic() - began)))
            if time.monotonic() - search.checked_at >= TIP_CHECK_S:
                search = await self._refreshed(search)

    async def _refreshed(self, search: "_Search") -> "_Search":
        """Returns the same search, or a new one if the tip, the mempool or the time has moved on."""
        search.checked_at = time.monotonic()
        basis = await self.chain.template_basis()
        moved = basis.tip_hash != search.template.basis.tip_hash
        grown = basis.newest_sequence > search.template.basis.newest_sequence
        if moved or (search.checked_at - search.began_at >= (REBUILD_S if grown else TIMESTAMP_S)):
            return _Search(await self.chain.template(self.wallet_id))
        return search


class _Search:
    """The search on one template. It starts at a random nonce, so that two miners of one wallet do not repeat work."""

    def __init__(self, template: BlockTemplate) -> None:
        self.template = template
        self.began_at = self.checked_at = time.monotonic()
        self._next_nonce = self._first_nonce = random.randrange(MAX_NONCE // 2)

    def progress(self, limit_per_s: int) -> dict[str, Any]:
        """Returns what is published about the search."""
        block, hashes = self.template.block, self._next_nonce - self._first_nonce
        return {
            "height": block.header.height,
            "difficulty": block.header.difficulty_bits,
            "transactions": len(block.transactions),
            "hashes": hashes,
            # A slice runs at full speed and then pauses, so the first slices look faster than the limit.
            "hashes_per_s": min(limit_per_s, round(hashes / (time.monotonic() - self.began_at))),
        }

    def attempt(self, attempts: int) -> Block | None:
        """Returns the block if one of the next `attempts` nonces solves it."""
        block = self.template.block
        nonce = mine(block.header, self._next_nonce, attempts)
        self._next_nonce += attempts
        return None if nonce is None else Block(msgspec.structs.replace(block.header, nonce=nonce), block.transactions)

"""The limits of the mempool: how many transactions may be pending, and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domains.ledger.model import MempoolFull
from app.domains.ledger.services.payments import wallet_facts
from app.domains.ledger.statements import ChainSql, MempoolSql, WalletSql
from app.domains.ledger.streams import MEMPOOL_STREAM, MempoolChange
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Executor, Tx
from app.kit.events import EventLog, Fact

MEMPOOL_LIMIT = 20_000
"""Ten full blocks of payments. Approximate, because it is checked once a second."""
MAX_WAIT = timedelta(hours=72)
EXPIRED = "expired"
PARENT_EXPIRED = "parent expired"

_CHECK_INTERVAL = timedelta(seconds=1)
_BATCH = 100


@dataclass
class _Fullness:
    """The last check of the mempool's length."""

    at: datetime | None = None
    is_full: bool = False


@dataclass(frozen=True)
class Mempool:
    """Limits the mempool."""

    database: Database
    clock: Clock
    events: EventLog
    limit: int = MEMPOOL_LIMIT
    _checked: _Fullness = field(default_factory=_Fullness)

    async def require_room(self, executor: Executor) -> None:
        """Raises MempoolFull. The result is kept for a second: checking a long mempool takes milliseconds."""
        now = self.clock.now()
        if self._checked.at is None or not timedelta(0) <= now - self._checked.at < _CHECK_INTERVAL:
            self._checked.at = now
            self._checked.is_full = bool(await executor.fetch_one(MempoolSql.mempool_is_full, self.limit - 1))
        if self._checked.is_full:
            raise MempoolFull

    async def expire(self) -> int:
        """Fails transactions that are pending for 72 hours and all that build on them. Returns how many failed.

        Their inputs become spendable again and their outputs are deleted. Works in batches, each of which commits.
        """
        before = self.clock.now() - MAX_WAIT
        failed = 0
        while batch := await self.database.write(SYSTEM, lambda tx: self._expire_batch(tx, before)):
            failed += batch
        return failed

    async def _expire_batch(self, tx: Tx, before: datetime) -> int:
        # The lock order everywhere: chain, then balances in order, then streams. The lock on the tip keeps a block from
        # confirming these transactions, the locks on balances keep their senders from building on them.
        await tx.fetch(ChainSql.lock_chain)
        senders = await tx.fetch(MempoolSql.overdue_senders, before, _BATCH)
        if not senders:
            return 0
        await tx.execute(WalletSql.lock_balances, senders)
        family = await tx.fetch(MempoolSql.overdue_family, senders, before)
        hashes = [overdue.transaction_hash for overdue in family]
        reasons = [EXPIRED if overdue.is_overdue else PARENT_EXPIRED for overdue in family]
        await tx.execute(MempoolSql.release_inputs, hashes)
        await tx.execute(MempoolSql.delete_outputs, hashes)
        await tx.execute(MempoolSql.fail_transactions, hashes, reasons)
        await recompute_balances(tx, senders, self.clock.now())
        facts = [
            fact
            for failed in family
            for fact in wallet_facts(
                "transaction.failed", failed.transaction_hash, [failed.sender_wallet_id, failed.recipient_wallet_id]
            )
        ]
        facts += [Fact(MEMPOOL_STREAM, MempoolChange.FAILED, {"hash": failed.transaction_hash}) for failed in family]
        await self.events.append(tx, facts)
        return len(family)


async def recompute_balances(tx: Tx, wallet_ids: Sequence[str], now: datetime) -> None:
    """Stores what these wallets can spend as their balance. The caller holds the locks on the balances."""
    sums = await tx.fetch(WalletSql.wallet_balance_sums, list(wallet_ids))
    await tx.execute(
        WalletSql.store_balances, [wallet_id for wallet_id, _ in sums], [balance for _, balance in sums], now
    )

"""The transactions that wait for a block: how many may, and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domains.ledger.model import MempoolFull
from app.domains.ledger.services.payments import wallet_facts
from app.domains.ledger.statements import ChainSql, MempoolSql, WalletSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Executor, Tx
from app.kit.events import EventLog

MEMPOOL_LIMIT = 20_000
"""Ten full blocks of payments. Approximate: it is looked at once a second."""
MAX_WAIT = timedelta(hours=72)
EXPIRED = "expired"
PARENT_EXPIRED = "parent expired"

_CHECK_INTERVAL = timedelta(seconds=1)
_BATCH = 100


@dataclass
class _Fullness:
    """When the mempool was last looked at, and what was seen."""

    at: datetime | None = None
    is_full: bool = False


@dataclass(frozen=True)
class Mempool:
    """The mempool's bounds."""

    database: Database
    clock: Clock
    events: EventLog
    limit: int = MEMPOOL_LIMIT
    _last: _Fullness = field(default_factory=_Fullness)

    async def require_room(self, executor: Executor) -> None:
        """Raises MempoolFull. A look costs milliseconds when the mempool is long, so one serves a second's callers."""
        now = self.clock.now()
        if self._last.at is None or not timedelta(0) <= now - self._last.at < _CHECK_INTERVAL:
            self._last.at = now
            self._last.is_full = bool(await executor.fetch_one(MempoolSql.mempool_is_full, self.limit - 1))
        if self._last.is_full:
            raise MempoolFull

    async def expire(self) -> int:
        """Fails what has waited for 72 hours and whatever builds on it; returns how many transactions failed.

        What they meant to spend is spendable again and their outputs are gone. Works in batches, each of which commits.
        """
        before = self.clock.now() - MAX_WAIT
        failed = 0
        while batch := await self.database.write(SYSTEM, lambda tx: self._expire_batch(tx, before)):
            failed += batch
        return failed

    async def _expire_batch(self, tx: Tx, before: datetime) -> int:
        # Chain, then balances in order, then streams: the order in which everybody locks. With the tip held no block
        # confirms a transaction under our hands, with the senders' balances nobody builds another one on it.
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
        await self.events.append(tx, facts)
        return len(family)


async def recompute_balances(tx: Tx, wallet_ids: Sequence[str], now: datetime) -> None:
    """Stores as balance what these wallets can spend. The caller holds the locks on the balances."""
    sums = await tx.fetch(WalletSql.wallet_balance_sums, list(wallet_ids))
    await tx.execute(
        WalletSql.store_balances, [wallet_id for wallet_id, _ in sums], [balance for _, balance in sums], now
    )

"""Sealing the changes of orders into the audit log, and checking them against it."""

from dataclasses import dataclass
from typing import Final

from app.domains.accounts.model import AuditVerdict
from app.domains.trading.orders.rules.seals import BrokenSeal, seals_verdict
from app.domains.trading.orders.statements import SealSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx

SEAL_SIZE: Final = 10_000
"""Changes that one seal is of, at most."""
CHECKED_AT_ONCE: Final = 50
"""Seals whose changes are read in one statement."""


@dataclass(frozen=True)
class OrderSeals:
    """The seals of changes."""

    database: Database
    clock: Clock

    async def seal(self) -> str:
        """Seals what was changed up to the previous call, once no transaction from before that call runs any more."""

        async def work(tx: Tx) -> int:
            [sealed] = await tx.fetch(SealSql.seal, SEAL_SIZE)
            return sealed

        return f"{await self.database.write(SYSTEM, work)} changes"

    async def verify(self) -> AuditVerdict:
        """Detects a change that was changed, removed or added after it was sealed. That the seals themselves are what
        they were is for the audit log's verification. Changes that retention may have dropped are not compared.
        """
        now = self.clock.now()
        async with self.database.snapshot(SYSTEM) as tx:
            extent = await tx.fetch_one(SealSql.seal_extent, now)
            assert extent is not None, "there is one state of sealing"
            broken: BrokenSeal | None = None
            if extent.first is not None and extent.last is not None:
                for start in range(extent.first, extent.last + 1, CHECKED_AT_ONCE):
                    end = min(start + CHECKED_AT_ONCE - 1, extent.last)
                    broken = await tx.fetch_one(SealSql.broken_seal, start, end, now)
                    if broken is not None:
                        break
        return seals_verdict(extent, broken)

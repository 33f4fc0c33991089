"""Verification of the audit log's hash chain."""

from dataclasses import dataclass

from app.domains.accounts.model import AuditVerdict
from app.domains.accounts.rules.audit import audit_verdict
from app.domains.accounts.statements import AuditSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database


@dataclass(frozen=True)
class Audit:
    """Verifies the audit log."""

    database: Database
    clock: Clock

    async def verify(self) -> AuditVerdict:
        """Detects an entry that was changed, removed, moved or added, and a beginning or an end that was cut off.

        It cannot detect that the database's owner rewrote the chain from some entry to its end, head included. To
        detect that too, keep the last hash in another place.
        """
        async with self.database.snapshot(SYSTEM) as tx:
            extent = await tx.fetch_one(AuditSql.audit_extent)
            anchors = await tx.fetch(AuditSql.audit_anchors, self.clock.now())
            broken = await tx.fetch_one(AuditSql.audit_break)
        assert extent is not None, "the chain has one head"
        return audit_verdict(extent, anchors, broken)

"""The audit log's hash chain, checked."""

from dataclasses import dataclass

from app.domains.accounts.model import AuditVerdict
from app.domains.accounts.rules.audit import audit_verdict
from app.domains.accounts.statements import AuditSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database


@dataclass(frozen=True)
class Audit:
    """Reads the audit log as a whole."""

    database: Database
    clock: Clock

    async def verify(self) -> AuditVerdict:
        """Finds an entry that was changed, removed, put elsewhere or added, and a beginning or an end cut off.

        What it cannot find is a chain that the database's owner has rewritten from some entry to its end, head
        included: keep a verdict's last hash elsewhere to be sure of that too.
        """
        async with self.database.snapshot(SYSTEM) as tx:
            extent = await tx.fetch_one(AuditSql.audit_extent)
            anchors = await tx.fetch(AuditSql.audit_anchors, self.clock.now())
            broken = await tx.fetch_one(AuditSql.audit_break)
        assert extent is not None, "the chain has one head"
        return audit_verdict(extent, anchors, broken)

"""Scheduled jobs of the ledger."""

from app.domains.ledger.services import LedgerServices
from app.kit.jobs import Schedule


def ledger_schedules(services: LedgerServices) -> list[Schedule]:
    """Returns the scheduled maintenance of the mempool."""

    async def expire() -> str:
        return f"{await services.mempool.expire()} failed"

    return [
        Schedule("mempool", "*/15 * * * *", "Fails transactions that have waited for 72 hours without a block", expire)
    ]

"""Who sends: of several workers one, also where an older one does not know yet that it is no longer."""

from app.domains.trading.venues.statements import SendingSql
from app.kit.db import SYSTEM, Database, Tx
from app.kit.leadership import LeadershipLost


async def begin_epoch(database: Database) -> int:
    """Begins the epoch of a new leader: what led before can write nothing any more. Raises Unavailable."""

    async def work(tx: Tx) -> int:
        [epoch] = await tx.fetch(SendingSql.lead)
        return epoch

    return await database.write(SYSTEM, work)


async def hold_epoch(tx: Tx, epoch: int) -> None:
    """Lets nobody else lead until the end of the transaction. Call it first. Raises LeadershipLost."""
    if await tx.fetch(SendingSql.lock_epoch) != [epoch]:
        raise LeadershipLost

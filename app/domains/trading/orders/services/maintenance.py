"""What is done at fixed times: ending the books of tokens that are gone, and deleting what was kept long enough."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.domains.trading.orders.statements import MaintenanceSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.sql import Command
from app.kit.wake import Wake

ORDER_RETENTION: Final = timedelta(days=7 * 365 + 2)
COMMAND_RETENTION: Final = timedelta(hours=1)
BATCH: Final = 5000


@dataclass(frozen=True)
class Maintenance:
    """What is done for orders at fixed times."""

    database: Database
    clock: Clock
    wake: Wake

    async def end_books(self, tx: Tx) -> int:
        """Asks the exchange to end the books of tokens that are no longer listed, or whose symbol is another's now.
        Returns how many there are. Repeating it asks for nothing more.
        """
        ended = await tx.fetch(MaintenanceSql.delist_tokens, self.clock.now())
        if ended:
            tx.after_commit(self.wake.ring_soon)
        return len(ended)

    async def follow_listings(self) -> str:
        """Ends books as `end_books` does, and begins those anew whose symbol is a listed token's again."""

        async def work(tx: Tx) -> int:
            await tx.execute(MaintenanceSql.note_tokens)
            ended = await self.end_books(tx)
            begun = await tx.fetch(MaintenanceSql.relist_tokens, self.clock.now())
            if begun:
                tx.after_commit(self.wake.ring_soon)
            return ended + len(begun)

        return f"{await self.database.write(SYSTEM, work)} tokens"

    async def close_again(self) -> str:
        """Asks again for the end of portfolios that the exchange has passed over."""

        async def work(tx: Tx) -> int:
            asked = await tx.fetch(MaintenanceSql.close_again, self.clock.now())
            if asked:
                tx.after_commit(self.wake.ring_soon)
            return len(asked)

        return f"{await self.database.write(SYSTEM, work)} portfolios"

    async def delete_old_orders(self) -> str:
        """Deletes closed orders after seven years, once none of their fills is kept."""
        deleted = await self._delete(MaintenanceSql.delete_old_orders, self.clock.now() - ORDER_RETENTION)
        return f"{deleted} orders"

    async def delete_done_commands(self) -> str:
        """Deletes what the exchange was asked and has done, after an hour."""
        return (
            f"{await self._delete(MaintenanceSql.delete_done_commands, self.clock.now() - COMMAND_RETENTION)} commands"
        )

    async def _delete(self, command: Command, before: datetime) -> int:
        """Batch by batch, each in a transaction of its own."""
        deleted = 0
        while True:
            count = await self.database.write(SYSTEM, lambda tx: tx.execute(command, before, BATCH))
            deleted += count
            if count < BATCH:
                return deleted

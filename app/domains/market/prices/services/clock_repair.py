"""Repairs what a wrong clock has left behind."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from app.domains.market.prices.statements import ClockRepairSql
from app.kit.db import SYSTEM, Database

TOLERANCE: Final = timedelta(minutes=1)
"""Rows that are dated this little ahead are past before they do harm."""

_REPAIRS: Final = {
    "candles": ClockRepairSql.delete_candles_ahead,
    "prices": ClockRepairSql.delete_prices_ahead,
    "quotes": ClockRepairSql.date_quotes_back,
    "marks": ClockRepairSql.delete_marks_ahead,
    "alerts": ClockRepairSql.date_alerts_back,
    "notifications": ClockRepairSql.date_notifications_back,
    "articles": ClockRepairSql.date_news_back,
    "analyses": ClockRepairSql.delete_analyses_ahead,
}


@dataclass(frozen=True)
class ClockRepair:
    """Repairs rows that are dated after the present of the database: they would be the newest until then."""

    database: Database

    async def run(self) -> str:
        """Deletes what can be made again, and dates back what cannot. Returns what was repaired."""
        [present] = await self.database.fetch(ClockRepairSql.present)
        latest = present + TOLERANCE
        repaired: dict[str, int] = {}
        for name, command in _REPAIRS.items():
            repaired[name] = await self.database.write(SYSTEM, lambda tx, run=command: tx.execute(run, latest))  # type: ignore[misc]  # bound per turn
        return ", ".join(f"{count} {name}" for name, count in repaired.items() if count) or "nothing was dated ahead"

"""Puts right what a wrong clock left behind."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from app.domains.market.statements import MENDING
from app.kit.db import SYSTEM, Database

TOLERATED: Final = timedelta(minutes=1)
"""What is dated so little ahead is past before anybody is hurt by it."""


@dataclass(frozen=True)
class Mending:
    """What is dated after the database's present is of a clock that was wrong, and would be the newest until then."""

    database: Database

    async def mend(self) -> str:
        """Deletes what can be made again, and dates back what cannot."""
        row = await self.database.fetch_one(MENDING.present)
        assert row is not None
        latest = row[0] + TOLERATED
        mended = {
            what: await self.database.write(SYSTEM, lambda tx, query=query: tx.execute(query, latest))  # type: ignore[misc]  # bound per turn
            for what, query in (
                ("candles", MENDING.delete_candles_ahead),
                ("prices", MENDING.delete_prices_ahead),
                ("quotes", MENDING.date_quotes_back),
                ("marks", MENDING.delete_marks_ahead),
                ("alerts", MENDING.date_alerts_back),
                ("notifications", MENDING.date_notifications_back),
                ("articles", MENDING.date_news_back),
                ("analyses", MENDING.delete_analyses_ahead),
            )
        }
        return ", ".join(f"{count} {what}" for what, count in mended.items() if count) or "nothing was dated ahead"

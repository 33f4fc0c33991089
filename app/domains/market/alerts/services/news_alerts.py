"""Alerts on news that matter."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from app.domains.market.alerts.model import AlertType, Passage
from app.domains.market.alerts.rules import news_text
from app.domains.market.alerts.services.matcher import Passing
from app.domains.market.statements import ALERTS
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx

AT_THAT_MOMENT: Final = timedelta(microseconds=1)


@dataclass(frozen=True)
class Headlines:
    """Lets alerts on news fire. An article's mark is that it says when they were asked."""

    database: Database
    clock: Clock
    passing: Passing

    async def ask(self, payload: dict[str, Any]) -> None:
        """What the worker makes of `market.news_alerts`: asks about the articles of `ids` that were not asked about."""
        ids = sorted({UUID(id) for id in payload["ids"]})
        await self.database.write(SYSTEM, lambda tx: self._ask(tx, ids))

    async def _ask(self, tx: Tx, ids: list[UUID]) -> None:
        articles = await tx.fetch(ALERTS.claim_news, ids, self.clock.now())
        await self.passing.tell(
            tx, [_passage(each, symbol) for each in articles for symbol in each["symbols_mentioned"]]
        )


def _passage(article: Any, symbol: str) -> Passage:
    return Passage(
        symbol=symbol,
        alert_type=AlertType.NEWS_IMPACT,
        before=Decimal(0),
        after=Decimal(article["impact"]),
        # Not for who began to wait after it had come.
        armed_before=article["created_at"] + AT_THAT_MOMENT,
        text=news_text(symbol, article["title"], article["impact"], article["url"]),
    )

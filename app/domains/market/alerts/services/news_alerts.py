"""Alerts on news."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from app.domains.market.alerts.model import AlertingArticle, AlertType, Crossing
from app.domains.market.alerts.rules import news_text
from app.domains.market.alerts.services.matcher import AlertMatcher
from app.domains.market.alerts.statements import AlertSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx

SAME_MOMENT: Final = timedelta(microseconds=1)


@dataclass(frozen=True)
class NewsAlerts:
    """Fires alerts on news. The mark is in the article: the time at which its alerts were evaluated."""

    database: Database
    clock: Clock
    matcher: AlertMatcher

    async def evaluate(self, payload: dict[str, Any]) -> None:
        """Handles the job of new articles: evaluates those of `ids` that were not evaluated yet."""
        ids = sorted({UUID(id) for id in payload["ids"]})
        await self.database.write(SYSTEM, lambda tx: self._evaluate(tx, ids))

    async def _evaluate(self, tx: Tx, ids: list[UUID]) -> None:
        articles = await tx.fetch(AlertSql.claim_news, ids, self.clock.now())
        crossings = [_crossing(article, symbol) for article in articles for symbol in article.symbols_mentioned]
        await self.matcher.match(tx, crossings)


def _crossing(article: AlertingArticle, symbol: str) -> Crossing:
    return Crossing(
        symbol=symbol,
        alert_type=AlertType.NEWS_IMPACT,
        before=Decimal(0),
        after=Decimal(article.impact),
        # Alerts that were armed after the article was stored do not fire.
        armed_before=article.created_at + SAME_MOMENT,
        text=news_text(symbol, article.title, article.impact, article.url),
    )

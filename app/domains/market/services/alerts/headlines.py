"""Alerts on news that matter."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.domains.market.loaders import ALERTS
from app.domains.market.model.alerts import AlertType, Firing
from app.domains.market.rules.alerts import news_text
from app.domains.market.services.alerts.firing import Firings
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx


@dataclass(frozen=True)
class Headlines:
    """Lets alerts on news fire. An article's mark is that it says when they were asked."""

    database: Database
    clock: Clock
    firings: Firings

    async def ask(self, payload: dict[str, Any]) -> None:
        """What the worker makes of `market.news_alerts`: asks about the articles of `ids` that were not asked about."""
        ids = sorted({UUID(id) for id in payload["ids"]})
        await self.database.write(SYSTEM, lambda tx: self._ask(tx, ids))

    async def _ask(self, tx: Tx, ids: list[UUID]) -> None:
        now = self.clock.now()
        articles = await tx.fetch(ALERTS.claim_news, ids, now)
        given = [(article, symbol) for article in articles for symbol in article["symbols_mentioned"]]
        rows = await tx.fetch(
            ALERTS.reached_alerts,
            AlertType.NEWS_IMPACT,
            [symbol for _, symbol in given],
            [Decimal(article["impact"]) for article, _ in given],
            [float(article["impact"]) for article, _ in given],
            [article["created_at"] for article, _ in given],
            now,
        )
        firings = []
        for place, alert_id in sorted((row["ord"], row["id"]) for row in rows):
            article, symbol = given[place - 1]
            text = news_text(symbol, article["title"], article["impact"], article["url"])
            firings.append(Firing(alert_id, Decimal(article["impact"]), *text))
        await self.firings.fire(tx, firings)

"""Alerts on changes of sentiment."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeAlias

from app.domains.market.alerts.model import AlertType, Firing
from app.domains.market.alerts.rules import sentiment_text
from app.domains.market.alerts.services.dispatcher import AlertDispatcher
from app.domains.market.alerts.statements import AlertSql
from app.domains.market.analysis.model import Analysis, AnalysisType
from app.domains.market.analysis.model.sentiment import SentimentFindings
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx

Analyse: TypeAlias = Callable[[str, AnalysisType], Awaitable[Analysis[Any]]]
"""Returns a cached or a new analysis of a symbol."""

TYPE: Final = AlertType.SENTIMENT_CHANGE
CONCURRENCY: Final = 8
"""Symbols that are measured concurrently: one by one, a slow provider would take until after the next run."""


class Score(NamedTuple):
    """A sentiment, and the sources that it is calculated from."""

    value: Decimal
    basis: str


@dataclass(frozen=True)
class SentimentAlerts:
    """Fires alerts on sentiment. Each alert has a mark of its own: the sentiment when it was first measured after the
    alert was armed, or when the alert last fired. The mark is reset when the sources of the score change: that moves
    the score without a change of sentiment."""

    database: Database
    clock: Clock
    dispatcher: AlertDispatcher
    analyse: Analyse

    async def evaluate(self) -> str:
        """Measures the symbols with armed alerts, and fires those whose condition is met."""
        symbols = await self.dispatcher.armed_symbols(TYPE)
        scores: dict[str, Score] = {}
        for start in range(0, len(symbols), CONCURRENCY):
            batch = symbols[start : start + CONCURRENCY]
            measured = await asyncio.gather(*(self.analyse(symbol, AnalysisType.SENTIMENT) for symbol in batch))
            for symbol, analysis in zip(batch, measured, strict=True):
                if isinstance(analysis.findings, SentimentFindings):
                    scores[symbol] = _score(analysis.findings)
        fired = await self.database.write(SYSTEM, lambda tx: self._compare(tx, scores)) if scores else 0
        return f"{len(scores)} of {len(symbols)} symbols measured, {fired} alerts fired"

    async def _compare(self, tx: Tx, scores: dict[str, Score]) -> int:
        now = self.clock.now()
        alerts = await tx.fetch(AlertSql.armed_alerts, TYPE, list(scores), now)
        locked = await tx.fetch(AlertSql.lock_marks, TYPE, [str(alert.id) for alert in alerts])
        marks = {mark.subject: mark for mark in locked}
        moved: dict[str, Score] = {}
        firings: list[Firing] = []
        for alert in alerts:
            score, mark = scores[alert.symbol], marks.get(str(alert.id))
            if mark is None or mark.value is None or mark.at < alert.armed_at or mark.basis != score.basis:
                moved[str(alert.id)] = score
            elif abs(score.value - mark.value) > alert.threshold_value:
                moved[str(alert.id)] = score
                text = sentiment_text(alert.symbol, mark.value, score.value)
                firings.append(Firing(alert.id, score.value, *text))
        values, bases = [each.value for each in moved.values()], [each.basis for each in moved.values()]
        await tx.execute(AlertSql.move_marks, TYPE, list(moved), values, bases, now)
        return await self.dispatcher.fire(tx, firings)


def _score(findings: SentimentFindings) -> Score:
    return Score(round(Decimal(findings.score), 2), ",".join(sorted(source.name for source in findings.sources)))

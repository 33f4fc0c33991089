"""Alerts on a change of mood."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeAlias

from app.domains.market.alerts.model import AlertType, ArmedAlert, Firing
from app.domains.market.alerts.rules import sentiment_text
from app.domains.market.alerts.services.dispatcher import Firings
from app.domains.market.analysis.model import Analysis, AnalysisType
from app.domains.market.analysis.model.sentiment import SentimentFindings
from app.domains.market.statements import ALERTS
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx

Analyse: TypeAlias = Callable[[str, AnalysisType], Awaitable[Analysis[Any]]]
"""Makes an analysis of a symbol, or knows it still."""

KIND = AlertType.SENTIMENT_CHANGE
AT_ONCE: Final = 8
"""Symbols that are measured side by side: in turn, a slow provider would take until after the next check."""


class Score(NamedTuple):
    """A sentiment, and the sources that it is made of."""

    value: Decimal
    basis: str


@dataclass(frozen=True)
class Sentiments:
    """Lets alerts on sentiment fire. Each has a mark of its own: where the sentiment stood when it was armed, as far as
    it was measured then, or when it last fired. It begins anew when a source falls silent or is heard again: that moves
    the score, and is no change of mood."""

    database: Database
    clock: Clock
    firings: Firings
    analyse: Analyse

    async def check(self) -> str:
        """Measures the symbols that somebody waits for."""
        symbols = await self.firings.armed_symbols(KIND)
        scores: dict[str, Score] = {}
        for start in range(0, len(symbols), AT_ONCE):
            some = symbols[start : start + AT_ONCE]
            measured = await asyncio.gather(*(self.analyse(symbol, AnalysisType.SENTIMENT) for symbol in some))
            for symbol, analysis in zip(some, measured, strict=True):
                if isinstance(analysis.findings, SentimentFindings):
                    scores[symbol] = _score(analysis.findings)
        fired = await self.database.write(SYSTEM, lambda tx: self._compare(tx, scores)) if scores else 0
        return f"{len(scores)} of {len(symbols)} symbols measured, {fired} alerts fired"

    async def _compare(self, tx: Tx, scores: dict[str, Score]) -> int:
        now = self.clock.now()
        rows = await tx.fetch(ALERTS.armed_alerts, KIND, list(scores), now)
        alerts = [ArmedAlert(*row) for row in rows]
        marks = {row["subject"]: row for row in await tx.fetch(ALERTS.lock_marks, KIND, [str(a.id) for a in alerts])}
        moved: dict[str, Score] = {}
        firings: list[Firing] = []
        for alert in alerts:
            score, mark = scores[alert.symbol], marks.get(str(alert.id))
            if mark is None or mark["at"] < alert.armed_at or mark["basis"] != score.basis:
                moved[str(alert.id)] = score
            elif abs(score.value - mark["value"]) > alert.threshold_value:
                moved[str(alert.id)] = score
                text = sentiment_text(alert.symbol, mark["value"], score.value)
                firings.append(Firing(alert.id, score.value, *text))
        values, bases = [each.value for each in moved.values()], [each.basis for each in moved.values()]
        await tx.execute(ALERTS.move_marks, KIND, list(moved), values, bases, now)
        return await self.firings.fire(tx, firings)


def _score(findings: SentimentFindings) -> Score:
    return Score(round(Decimal(findings.score), 2), ",".join(sorted(source.name for source in findings.sources)))

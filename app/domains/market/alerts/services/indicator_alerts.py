"""Alerts on what is calculated from candles, whenever candles have closed."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from app.domains.market.alerts.model import AlertType, Comparison, Passage
from app.domains.market.alerts.rules import VOLUME_STEP_MINUTES, storable
from app.domains.market.alerts.services.matcher import Passing
from app.domains.market.analysis.model.technical import Indicator
from app.domains.market.analysis.rules.indicators import value_of
from app.domains.market.analysis.rules.series import Series, series_of
from app.domains.market.analysis.rules.volume import spike
from app.domains.market.prices.model import Candle, Interval
from app.domains.market.prices.services.candles import Candles
from app.domains.market.statements import ALERTS
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx

INDICATOR_CANDLES: Final = 300
"""The longest average counts 200; exponential ones have forgotten where they began after some hundred."""
VOLUME_INTERVAL: Final = Interval.FIVE_MINUTES
_A_DAY_OF_VOLUME: Final = 24 * 60 // VOLUME_STEP_MINUTES


class Measure(msgspec.Struct, frozen=True):
    """Something to measure of a symbol; alerts on it have these details in their conditions."""

    symbol: str
    interval: Interval
    details: dict[str, Any]

    @property
    def subject(self) -> str:
        """Its name among the marks of its type."""
        return ":".join([self.symbol, *(str(value) for _, value in sorted(self.details.items()))])


class Measured(msgspec.Struct, frozen=True):
    """A measure at the end of the last closed candle, and of the one before it; None: it cannot be told."""

    measure: Measure
    exchange: str
    before: float | None
    after: float


_Rule = Callable[[Measure, Series], float | None]


@dataclass(frozen=True)
class Measuring:
    """Lets alerts on indicators and volumes fire.

    Their marks hold what was measured last, so that a condition that became true while nobody looked is found, and
    one that stays true is not found again.
    """

    database: Database
    clock: Clock
    passing: Passing
    candles: Candles

    async def after_minute(self, ended_at: datetime) -> None:
        """Measures what has closed until `ended_at` and was not measured yet. Raises Unavailable."""
        await self._measure(AlertType.TECHNICAL_INDICATOR, ("indicator", "interval"), ended_at, _indicator)
        await self._measure(AlertType.VOLUME_SPIKE, ("window_minutes",), ended_at, _volume)

    async def _measure(self, kind: AlertType, names: Sequence[str], ended_at: datetime, rule: _Rule) -> None:
        async with self.database.snapshot(SYSTEM) as tx:
            rows = await tx.fetch(ALERTS.armed_measures, kind, self.clock.now(), list(names))
        measures = [Measure(symbol, _interval(kind, details), details) for symbol, details in rows]
        for interval in Interval:
            closed_at = _closed_at(interval, ended_at)
            due = await self._due(kind, [each for each in measures if each.interval is interval], closed_at)
            if due:
                candles = await self.candles.latest_of({each.symbol for each in due}, interval, _candles_for(due))
                measured = await asyncio.to_thread(_measured, due, candles, closed_at, rule)
                await self._note(kind, measured, closed_at, interval)

    async def _due(self, kind: AlertType, measures: Iterable[Measure], closed_at: datetime) -> list[Measure]:
        by_subject = {each.subject: each for each in measures}
        if by_subject:
            for row in await self.database.fetch(ALERTS.marks, kind, list(by_subject)):
                if row["at"] >= closed_at:
                    del by_subject[row["subject"]]
        return list(by_subject.values())

    async def _note(
        self, kind: AlertType, measured: Sequence[Measured], closed_at: datetime, interval: Interval
    ) -> None:
        by_subject = {each.measure.subject: each for each in measured}
        values = [storable(Decimal(each.after)) for each in measured]

        async def work(tx: Tx) -> None:
            marks = {row["subject"]: row for row in await tx.fetch(ALERTS.lock_marks, kind, list(by_subject))}
            exchanges = [each.exchange for each in measured]
            moved = await tx.fetch(ALERTS.move_marks, kind, list(by_subject), values, exchanges, closed_at)
            passages: list[Passage] = []
            for (subject,) in moved:
                each, mark = by_subject[subject], marks.get(subject)
                if mark is not None and mark["basis"] != each.exchange:
                    # From one exchange's value to another's nothing has crossed anything.
                    mark = None
                # An alert that was armed after the value before it had been followed by others knows nothing of it.
                known_until = closed_at if mark is None else mark["at"] + interval.length
                before = each.before if mark is None else mark["value"]
                if before is not None:
                    passages += _passages(kind, each, storable(Decimal(before)), known_until)
            await self.passing.tell(tx, passages)

        if measured:
            await self.database.write(SYSTEM, work)


def _interval(kind: AlertType, details: dict[str, Any]) -> Interval:
    return Interval(details["interval"]) if kind is AlertType.TECHNICAL_INDICATOR else VOLUME_INTERVAL


def _candles_for(measures: Sequence[Measure]) -> int:
    longest = max(each.details.get("window_minutes", 0) for each in measures)
    # Two more than are reckoned with: the one before the last is measured as well, and the last may be open.
    return 2 + (_A_DAY_OF_VOLUME + longest // VOLUME_STEP_MINUTES if longest else INDICATOR_CANDLES)


def _closed_at(interval: Interval, moment: datetime) -> datetime:
    length_s = int(interval.length.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // length_s * length_s, UTC)


def _measured(
    measures: Sequence[Measure], candles: dict[str, list[Candle]], closed_at: datetime, rule: _Rule
) -> list[Measured]:
    found: list[Measured] = []
    for each in measures:
        closed = [candle for candle in candles[each.symbol] if candle.opened_at + each.interval.length <= closed_at]
        if (after := rule(each, series_of(closed))) is not None:
            found.append(Measured(each, closed[-1].exchange, rule(each, series_of(closed[:-1])), after))
    return found


def _indicator(measure: Measure, series: Series) -> float | None:
    return value_of(Indicator(measure.details["indicator"]), series)


def _volume(measure: Measure, series: Series) -> float | None:
    return spike(series, measure.details["window_minutes"] // VOLUME_STEP_MINUTES)


def _passages(kind: AlertType, measured: Measured, before: Decimal, known_until: datetime) -> list[Passage]:
    after, details = storable(Decimal(measured.after)), measured.measure.details
    if before == after:
        return []
    if kind is AlertType.TECHNICAL_INDICATOR:
        details = details | {"comparison": (Comparison.ABOVE if before < after else Comparison.BELOW).value}
    elif after < before:
        return []
    return [Passage(measured.measure.symbol, kind, before, after, details, known_until)]

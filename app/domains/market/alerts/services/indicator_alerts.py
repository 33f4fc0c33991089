"""Alerts on values that are calculated from closed candles."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from app.domains.market.alerts.model import AlertType, Comparison, Crossing
from app.domains.market.alerts.rules import VOLUME_STEP_MINUTES, storable
from app.domains.market.alerts.services.matcher import AlertMatcher
from app.domains.market.alerts.statements import AlertSql
from app.domains.market.analysis.model.technical import Indicator
from app.domains.market.analysis.rules.indicators import value_of
from app.domains.market.analysis.rules.series import Series, series_of
from app.domains.market.analysis.rules.volume import spike
from app.domains.market.prices.model import Candle, Interval
from app.domains.market.prices.services.candles import Candles
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx

INDICATOR_CANDLES: Final = 300
"""The longest average covers 200 candles; exponential averages converge within some hundred."""
VOLUME_INTERVAL: Final = Interval.FIVE_MINUTES
_A_DAY_OF_VOLUME: Final = 24 * 60 // VOLUME_STEP_MINUTES


class Measure(msgspec.Struct, frozen=True):
    """A value to measure of a symbol. The conditions of its alerts contain these details."""

    symbol: str
    interval: Interval
    details: dict[str, Any]

    @property
    def subject(self) -> str:
        """Its subject among the marks of its type."""
        return ":".join([self.symbol, *(str(value) for _, value in sorted(self.details.items()))])


class Measurement(msgspec.Struct, frozen=True):
    """A measure at the end of the last closed candle, and of the one before it; None: there are too few candles."""

    measure: Measure
    exchange: str
    before: float | None
    after: float


_Rule = Callable[[Measure, Series], float | None]


@dataclass(frozen=True)
class IndicatorAlerts:
    """Fires alerts on indicators and volumes.

    Their marks hold the last measured value. So a condition that became true while no worker ran is found, and one
    that stays true is not found again.
    """

    database: Database
    clock: Clock
    matcher: AlertMatcher
    candles: Candles

    async def evaluate(self, ended_at: datetime) -> None:
        """Measures the candles that closed until `ended_at` and were not measured yet. Raises Unavailable."""
        await self._evaluate(AlertType.TECHNICAL_INDICATOR, ("indicator", "interval"), ended_at, _indicator)
        await self._evaluate(AlertType.VOLUME_SPIKE, ("window_minutes",), ended_at, _volume)

    async def _evaluate(self, type: AlertType, names: Sequence[str], ended_at: datetime, rule: _Rule) -> None:
        async with self.database.snapshot(SYSTEM) as tx:
            armed = await tx.fetch(AlertSql.armed_measures, type, self.clock.now(), list(names))
        measures = [Measure(each.symbol, _interval(type, each.details), each.details) for each in armed]
        for interval in Interval:
            closed_at = _closed_at(interval, ended_at)
            due = await self._due(type, [each for each in measures if each.interval is interval], closed_at)
            if due:
                candles = await self.candles.latest_of({each.symbol for each in due}, interval, _candles_for(due))
                measured = await asyncio.to_thread(_measurements, due, candles, closed_at, rule)
                await self._match(type, measured, closed_at, interval)

    async def _due(self, type: AlertType, measures: Iterable[Measure], closed_at: datetime) -> list[Measure]:
        by_subject = {each.subject: each for each in measures}
        if by_subject:
            for mark in await self.database.fetch(AlertSql.marks, type, list(by_subject)):
                if mark.at >= closed_at:
                    del by_subject[mark.subject]
        return list(by_subject.values())

    async def _match(
        self, type: AlertType, measured: Sequence[Measurement], closed_at: datetime, interval: Interval
    ) -> None:
        by_subject = {each.measure.subject: each for each in measured}
        values = [storable(Decimal(each.after)) for each in measured]

        async def work(tx: Tx) -> None:
            locked = await tx.fetch(AlertSql.lock_marks, type, list(by_subject))
            marks = {mark.subject: mark for mark in locked}
            exchanges = [each.exchange for each in measured]
            moved = await tx.fetch(AlertSql.move_marks, type, list(by_subject), values, exchanges, closed_at)
            crossings: list[Crossing] = []
            for subject in moved:
                each, mark = by_subject[subject], marks.get(subject)
                if mark is not None and mark.basis != each.exchange:
                    # Between the values of two exchanges, nothing is crossed.
                    mark = None
                # The value before does not concern alerts that were armed after the candle that followed it closed.
                armed_before = closed_at if mark is None else mark.at + interval.length
                before = each.before if mark is None else mark.value
                if before is not None:
                    crossings += _crossings(type, each, storable(Decimal(before)), armed_before)
            await self.matcher.match(tx, crossings)

        if measured:
            await self.database.write(SYSTEM, work)


def _interval(type: AlertType, details: dict[str, Any]) -> Interval:
    return Interval(details["interval"]) if type is AlertType.TECHNICAL_INDICATOR else VOLUME_INTERVAL


def _candles_for(measures: Sequence[Measure]) -> int:
    longest = max(each.details.get("window_minutes", 0) for each in measures)
    # Two more than the rules need: the candle before the last is measured as well, and the last may be open.
    return 2 + (_A_DAY_OF_VOLUME + longest // VOLUME_STEP_MINUTES if longest else INDICATOR_CANDLES)


def _closed_at(interval: Interval, moment: datetime) -> datetime:
    length_s = int(interval.length.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // length_s * length_s, UTC)


def _measurements(
    measures: Sequence[Measure], candles: dict[str, list[Candle]], closed_at: datetime, rule: _Rule
) -> list[Measurement]:
    found: list[Measurement] = []
    for each in measures:
        closed = [candle for candle in candles[each.symbol] if candle.opened_at + each.interval.length <= closed_at]
        if (after := rule(each, series_of(closed))) is not None:
            found.append(Measurement(each, closed[-1].exchange, rule(each, series_of(closed[:-1])), after))
    return found


def _indicator(measure: Measure, series: Series) -> float | None:
    return value_of(Indicator(measure.details["indicator"]), series)


def _volume(measure: Measure, series: Series) -> float | None:
    return spike(series, measure.details["window_minutes"] // VOLUME_STEP_MINUTES)


def _crossings(type: AlertType, measured: Measurement, before: Decimal, armed_before: datetime) -> list[Crossing]:
    after, details = storable(Decimal(measured.after)), measured.measure.details
    if before == after:
        return []
    if type is AlertType.TECHNICAL_INDICATOR:
        details = details | {"comparison": (Comparison.ABOVE if before < after else Comparison.BELOW).value}
    elif after < before:
        return []
    return [Crossing(measured.measure.symbol, type, before, after, details, armed_before)]

"""Analyses of prices: what the market does now, technical, risk, predictions."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final

from app.domains.market.analysis.model import AnalysisType
from app.domains.market.analysis.rules.market_data import completeness, market_data
from app.domains.market.analysis.rules.predictions import predictions
from app.domains.market.analysis.rules.quality import Source
from app.domains.market.analysis.rules.risk import risk
from app.domains.market.analysis.rules.series import MalformedSeries, Series, series_of
from app.domains.market.analysis.rules.technical import technical
from app.domains.market.analysis.services.findings import Desk, Examined, NotAvailable
from app.domains.market.prices.model import Candle, Interval
from app.domains.market.prices.services.candles import Candles

BITCOIN: Final = "BTC"
NO_HISTORY: Final = "Its prices have not been recorded yet."


def warm_up() -> None:
    """Loads what takes a moment to load, so that no first caller's budget goes into it. Blocks."""
    importlib.import_module("app.domains.market.analysis.rules.talib")


def candle_source(desk: Desk, candles: Sequence[Candle], wanted: int, weight: float = 1.0) -> Source:
    """Candles as an input. They are fresh while the next is being made, and some time, an hour at most, after that."""
    name = f"candles {candles[0].interval}" if candles else "candles"
    if not candles:
        return Source(name, weight, 0.0, None, 1, 2)
    length = candles[0].interval.length
    span = (candles[-1].opened_at - candles[0].opened_at) // length + 1
    complete = min(1.0, len(candles) / wanted) * (len(candles) / span)
    late = min(10 * length, timedelta(hours=1))
    age = desk.age_s(candles[-1].opened_at + length)
    return Source(name, weight, complete, age, (length + late).total_seconds(), (length + 24 * late).total_seconds())


def closed(desk: Desk, candles: list[Candle]) -> list[Candle]:
    """Without the last one where its time is not over: half a candle would count as a whole one."""
    is_open = bool(candles) and candles[-1].opened_at + candles[-1].interval.length > desk.clock.now()
    return candles[:-1] if is_open else candles


def series(candles: Sequence[Candle]) -> Series:
    """Candles to reckon with. Raises NotAvailable."""
    if not candles:
        raise NotAvailable(NO_HISTORY)
    try:
        return series_of(candles)
    except MalformedSeries as error:
        raise NotAvailable(f"Its recorded prices cannot be used: {error}.") from error


@dataclass(frozen=True)
class MarketDataAnalyst:
    """The newest quote, beside a week of hourly candles and some hours of finer ones."""

    type: ClassVar = AnalysisType.MARKET_DATA
    desk: Desk
    candles: Candles

    FINE: ClassVar = 24
    HOURLY: ClassVar = 170

    async def examine(self, symbol: str) -> Examined:
        """What it is worth now, and how that moved."""
        token = await self.desk.token(symbol)
        if token.price_usd is None:
            raise NotAvailable("Nobody has quoted it yet.")
        fine = await self.candles.latest(symbol, Interval.FIVE_MINUTES, self.FINE)
        hourly = await self.candles.latest(symbol, Interval.ONE_HOUR, self.HOURLY)
        findings = await self.desk.calculate(lambda: market_data(token, fine, hourly, self.desk.clock.now()))
        quoted = Source("quote", 3.0, completeness(token), self.desk.age_s(token.last_updated), 60, 600)
        return Examined(findings, (quoted, candle_source(self.desk, hourly, self.HOURLY)))


@dataclass(frozen=True)
class TechnicalAnalyst:
    """Indicators over hourly candles."""

    type: ClassVar = AnalysisType.TECHNICAL
    desk: Desk
    candles: Candles

    COUNT: ClassVar = 500
    NEEDED: ClassVar = 250

    async def examine(self, symbol: str) -> Examined:
        """What the indicators say."""
        hourly = await self.candles.latest(symbol, Interval.ONE_HOUR, self.COUNT)
        findings = await self.desk.calculate(lambda: technical(series(hourly)))
        return Examined(findings, (candle_source(self.desk, hourly, self.NEEDED),))


@dataclass(frozen=True)
class RiskAnalyst:
    """Risk over a year of daily candles, or 90 days of hourly ones while there are few days; beside Bitcoin's."""

    type: ClassVar = AnalysisType.RISK
    desk: Desk
    candles: Candles

    DAYS: ClassVar = 365
    DAYS_NEEDED: ClassVar = 100
    HOURS: ClassVar = 90 * 24
    HOURS_NEEDED: ClassVar = 30 * 24

    async def examine(self, symbol: str) -> Examined:
        """What may be lost."""
        own, bitcoin = await self._closed(symbol, Interval.ONE_DAY, self.DAYS)
        needed = self.DAYS_NEEDED
        if len(own) < needed:
            own, bitcoin = await self._closed(symbol, Interval.ONE_HOUR, self.HOURS)
            needed = self.HOURS_NEEDED
        findings = await self.desk.calculate(lambda: risk(series(own), series(bitcoin) if bitcoin else None))
        sources = (candle_source(self.desk, own, needed, 3.0), candle_source(self.desk, bitcoin, needed))
        return Examined(findings, sources)

    async def _closed(self, symbol: str, interval: Interval, count: int) -> tuple[list[Candle], list[Candle]]:
        found = await self.candles.latest_of({symbol, BITCOIN}, interval, count + 1)
        return closed(self.desk, found[symbol]), closed(self.desk, found[BITCOIN])


@dataclass(frozen=True)
class PredictionsAnalyst:
    """Intervals from hourly candles, with their back-test; 5,000 prove the longest horizon."""

    type: ClassVar = AnalysisType.PREDICTIONS
    desk: Desk
    candles: Candles

    COUNT: ClassVar = 5000
    NEEDED: ClassVar = 2000
    LATE: ClassVar = timedelta(hours=2)
    """After a longer silence what candles say is of a price that may be far from today's."""

    async def examine(self, symbol: str) -> Examined:
        """Where the price may be."""
        hourly = closed(self.desk, await self.candles.latest(symbol, Interval.ONE_HOUR, self.COUNT + 1))
        age_s = self.desk.age_s(hourly[-1].opened_at + hourly[-1].interval.length) if hourly else None
        if age_s is not None and age_s > self.LATE.total_seconds():
            raise NotAvailable("No hour of its prices has been recorded lately: an older one predicts nothing.")
        findings = await self.desk.calculate(lambda: predictions(series(hourly)))
        return Examined(findings, (candle_source(self.desk, hourly, self.NEEDED),))

"""Analyses of prices: market data, technical, risk, predictions."""

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
from app.domains.market.analysis.services.analyst import AnalysisDeps, Examination, NotAvailable
from app.domains.market.prices.model import Candle, Interval
from app.domains.market.prices.services.candles import Candles

BITCOIN: Final = "BTC"
NO_HISTORY: Final = "Its prices have not been recorded yet."


def warm_up() -> None:
    """Imports slow modules, so that the first caller does not wait for them. Blocks."""
    importlib.import_module("app.domains.market.analysis.rules.talib_binding")


def candle_source(deps: AnalysisDeps, candles: Sequence[Candle], wanted: int, weight: float = 1.0) -> Source:
    """Returns candles as an input. They are fresh until the next one is made, and up to an hour after that."""
    name = f"candles {candles[0].interval}" if candles else "candles"
    if not candles:
        return Source(name, weight, 0.0, None, 1, 2)
    length = candles[0].interval.length
    span = (candles[-1].opened_at - candles[0].opened_at) // length + 1
    complete = min(1.0, len(candles) / wanted) * (len(candles) / span)
    late = min(10 * length, timedelta(hours=1))
    age = deps.age_s(candles[-1].opened_at + length)
    return Source(name, weight, complete, age, (length + late).total_seconds(), (length + 24 * late).total_seconds())


def closed(deps: AnalysisDeps, candles: list[Candle]) -> list[Candle]:
    """Returns the candles without an open one, which would count as a closed one."""
    is_open = bool(candles) and candles[-1].opened_at + candles[-1].interval.length > deps.clock.now()
    return candles[:-1] if is_open else candles


def series(candles: Sequence[Candle]) -> Series:
    """Returns candles as a series. Raises NotAvailable."""
    if not candles:
        raise NotAvailable(NO_HISTORY)
    try:
        return series_of(candles)
    except MalformedSeries as error:
        raise NotAvailable(f"Its recorded prices cannot be used: {error}.") from error


@dataclass(frozen=True)
class MarketDataAnalyst:
    """The newest quote, a week of hourly candles, and some hours of shorter ones."""

    type: ClassVar = AnalysisType.MARKET_DATA
    deps: AnalysisDeps
    candles: Candles

    FINE: ClassVar = 24
    HOURLY: ClassVar = 170

    async def examine(self, symbol: str) -> Examination:
        """Examines the current price, and its changes."""
        token = await self.deps.token(symbol)
        if token.price_usd is None:
            raise NotAvailable("Nobody has quoted it yet.")
        fine = await self.candles.latest(symbol, Interval.FIVE_MINUTES, self.FINE)
        hourly = await self.candles.latest(symbol, Interval.ONE_HOUR, self.HOURLY)
        findings = await self.deps.calculate(lambda: market_data(token, fine, hourly, self.deps.clock.now()))
        quoted = Source("quote", 3.0, completeness(token), self.deps.age_s(token.last_updated), 60, 600)
        return Examination(findings, (quoted, candle_source(self.deps, hourly, self.HOURLY)))


@dataclass(frozen=True)
class TechnicalAnalyst:
    """Indicators over hourly candles."""

    type: ClassVar = AnalysisType.TECHNICAL
    deps: AnalysisDeps
    candles: Candles

    COUNT: ClassVar = 500
    NEEDED: ClassVar = 250

    async def examine(self, symbol: str) -> Examination:
        """Examines the indicators."""
        hourly = await self.candles.latest(symbol, Interval.ONE_HOUR, self.COUNT)
        findings = await self.deps.calculate(lambda: technical(series(hourly)))
        return Examination(findings, (candle_source(self.deps, hourly, self.NEEDED),))


@dataclass(frozen=True)
class RiskAnalyst:
    """Risk over a year of daily candles, or 90 days of hourly ones while there are few days; compared with Bitcoin."""

    type: ClassVar = AnalysisType.RISK
    deps: AnalysisDeps
    candles: Candles

    DAYS: ClassVar = 365
    DAYS_NEEDED: ClassVar = 100
    HOURS: ClassVar = 90 * 24
    HOURS_NEEDED: ClassVar = 30 * 24

    async def examine(self, symbol: str) -> Examination:
        """Examines the risk."""
        own, bitcoin = await self._closed(symbol, Interval.ONE_DAY, self.DAYS)
        needed = self.DAYS_NEEDED
        if len(own) < needed:
            own, bitcoin = await self._closed(symbol, Interval.ONE_HOUR, self.HOURS)
            needed = self.HOURS_NEEDED
        findings = await self.deps.calculate(lambda: risk(series(own), series(bitcoin) if bitcoin else None))
        sources = (candle_source(self.deps, own, needed, 3.0), candle_source(self.deps, bitcoin, needed))
        return Examination(findings, sources)

    async def _closed(self, symbol: str, interval: Interval, count: int) -> tuple[list[Candle], list[Candle]]:
        found = await self.candles.latest_of({symbol, BITCOIN}, interval, count + 1)
        return closed(self.deps, found[symbol]), closed(self.deps, found[BITCOIN])


@dataclass(frozen=True)
class PredictionsAnalyst:
    """Intervals from hourly candles, with their back-test; 5,000 are enough for the longest horizon."""

    type: ClassVar = AnalysisType.PREDICTIONS
    deps: AnalysisDeps
    candles: Candles

    COUNT: ClassVar = 5000
    NEEDED: ClassVar = 2000
    LATE: ClassVar = timedelta(hours=2)
    """After a longer gap, the price may be far from that of the candles."""

    async def examine(self, symbol: str) -> Examination:
        """Predicts the price."""
        hourly = closed(self.deps, await self.candles.latest(symbol, Interval.ONE_HOUR, self.COUNT + 1))
        age_s = self.deps.age_s(hourly[-1].opened_at + hourly[-1].interval.length) if hourly else None
        if age_s is not None and age_s > self.LATE.total_seconds():
            raise NotAvailable("No hour of its prices has been recorded lately: an older one predicts nothing.")
        findings = await self.deps.calculate(lambda: predictions(series(hourly)))
        return Examination(findings, (candle_source(self.deps, hourly, self.NEEDED),))

"""Candles from a few numbers or a seed, and strategies that do what the test says."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from app.domains.market.prices.model import Candle, Interval
from app.domains.trading.backtests.model.reports import BotTerms, Report, Run
from app.domains.trading.backtests.rules.market import Market
from app.domains.trading.backtests.rules.simulation import Advance, Simulation, nothing_to_hear
from app.domains.trading.strategies.model import Config, Dca, Decision, Entry, SignalType, State, Window

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
BOT = BotTerms(symbol="BTC", config=Dca())
RUN = Run(bot=BOT, interval=Interval.ONE_HOUR, initial_cash_usd=Decimal(10_000))

Prices = tuple[str, str, str, str]
"""Open, high, low, close."""


def candles_of(
    prices: Sequence[Prices],
    *,
    interval: Interval = Interval.ONE_HOUR,
    missing: Sequence[int] = (),
    volume: str = "1e9",
) -> list[Candle]:
    """Candles one after the other, but for those that are missing."""
    times = [each for each in range(len(prices) + len(missing)) if each not in missing]
    return [
        Candle(
            symbol="BTC",
            exchange="simulated",
            interval=interval,
            opened_at=BEGIN + number * interval.length,
            open=Decimal(opened),
            high=Decimal(high),
            low=Decimal(low),
            close=Decimal(close),
            volume_usd=Decimal(volume),
        )
        for number, (opened, high, low, close) in zip(times, prices, strict=True)
    ]


def walk_of(count: int, seed: int = 1, *, interval: Interval = Interval.ONE_HOUR, step: float = 0.01) -> list[Candle]:
    """A random walk around 100 dollars; the open is the close before, or nearby."""
    chance = random.Random(seed)
    price, prices = 100.0, list[Prices]()
    for _ in range(count):
        opened = price * (1 + chance.gauss(0, step / 10))
        price = opened * (1 + chance.gauss(0, step))
        high = max(opened, price) * (1 + abs(chance.gauss(0, step / 2)))
        low = min(opened, price) * (1 - abs(chance.gauss(0, step / 2)))
        prices.append((f"{opened:.6f}", f"{high:.6f}", f"{low:.6f}", f"{price:.6f}"))
    return candles_of(prices, interval=interval)


def signals(
    types: Mapping[int, SignalType], *, begin: datetime = BEGIN
) -> Callable[[Config, Window, Sequence[Entry], State | None], Decision]:
    """Decides so at the end of the candles with these numbers, and otherwise nothing."""

    def decide(_: Config, window: Window, __: Sequence[Entry], ___: State | None) -> Decision:
        number = (window.closed_at - begin) // window.interval.length - 1
        return Decision(type=types.get(number, SignalType.HOLD), confidence=50, reasoning="As the test says.")

    return decide


def simulation(
    candles: Sequence[Candle],
    types: Mapping[int, SignalType],
    *,
    run: Run = RUN,
    first: int = 0,
    thorough: bool = False,
    **terms: Any,
) -> Simulation:
    """A bot with these terms that decides so."""
    market, run = Market(candles), replace(run, bot=replace(run.bot, **terms))
    return Simulation(run, market, first, len(market), signals(types), thorough=thorough)


def report(
    candles: Sequence[Candle],
    types: Mapping[int, SignalType],
    *,
    advance: Advance = nothing_to_hear,
    **given: Any,
) -> Report:
    return simulation(candles, types, **given).run(advance)

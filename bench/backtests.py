"""Back-tests: a year of hourly candles by each strategy, and a sweep of a hundred runs in the processes of a worker."""

import asyncio
import gc
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Final, NamedTuple

from msgspec.structs import replace
from rich.progress import Progress

from app.domains.market.prices.model import Candle, Interval
from app.domains.trading.backtests.model import Axis, SweepField
from app.domains.trading.backtests.model.reports import BotTerms, Run
from app.domains.trading.backtests.model.tasks import Done, Part, Task
from app.domains.trading.backtests.rules.checks import fitting
from app.domains.trading.backtests.rules.market import Market
from app.domains.trading.backtests.rules.simulation import Simulation
from app.domains.trading.backtests.services.processes import PROCESSES, Processes
from app.domains.trading.strategies.model import (
    Arbitrage,
    Breakout,
    Config,
    Dca,
    Grid,
    MeanReversion,
    Momentum,
    PatternRecognition,
    Scalping,
    TrendFollowing,
)
from bench.machine import wait_for_quiet
from bench.report import Bar, Report

YEAR: Final = 365 * 24
RUNS: Final = 100
TARGET_S: Final = 2.0
SWEEP_TARGET_S: Final = 60.0
CONFIGS: Final[tuple[Config, ...]] = (
    Dca(),
    Grid(range_percentage=Decimal(30)),
    Momentum(),
    MeanReversion(),
    Scalping(volume_ratio=Decimal("0.5")),
    Arbitrage(),
    TrendFollowing(),
    Breakout(),
    PatternRecognition(),
)
_BEGIN: Final = datetime(2025, 1, 1, tzinfo=UTC)


class Measured(NamedTuple):
    """Seconds of each round, and how many round trips a run made."""

    name: str
    seconds: list[float]
    trips: int
    target_s: float


def measure(rounds: int, progress: Progress) -> Report:
    """Each `rounds` times."""
    candles, loads, found = candles_of(YEAR), list[float](), list[Measured]()
    task = progress.add_task("backtests", total=rounds * (len(CONFIGS) + 1))
    for config in CONFIGS:
        seconds, trips = list[float](), 0
        for _ in range(rounds):
            loads.append(wait_for_quiet())
            spent, trips = _timed(lambda config=config: _trips(candles, config))  # type: ignore[misc]  # bound per turn
            seconds.append(spent)
            progress.advance(task)
        found.append(Measured(type(config).__name__, seconds, trips, TARGET_S))
    seconds, trips = [], 0
    for _ in range(rounds):
        loads.append(wait_for_quiet())
        spent, trips = _timed(lambda: asyncio.run(_swept(candles)))
        seconds.append(spent)
        progress.advance(task)
    found.append(Measured(f"Sweep of {RUNS}", seconds, trips, SWEEP_TARGET_S))
    return _report(found, loads)


def candles_of(count: int, seed: int = 5) -> list[Candle]:
    """An hourly random walk. The same seed makes the same."""
    chance, price, made = random.Random(seed), 100.0, list[Candle]()
    for number in range(count):
        opened = price
        price = opened * (1 + chance.gauss(0, 0.01))
        high = max(opened, price) * (1 + abs(chance.gauss(0, 0.004)))
        low = min(opened, price) * (1 - abs(chance.gauss(0, 0.004)))
        made.append(
            Candle(
                symbol="BTC",
                exchange="simulated",
                interval=Interval.ONE_HOUR,
                opened_at=_BEGIN + number * timedelta(hours=1),
                open=Decimal(f"{opened:.6f}"),
                high=Decimal(f"{high:.6f}"),
                low=Decimal(f"{low:.6f}"),
                close=Decimal(f"{price:.6f}"),
                volume_usd=Decimal(f"{10**8 * chance.uniform(0.5, 2):.2f}"),
            )
        )
    return made


def run_of(config: Config) -> Run:
    bot = BotTerms(symbol="BTC", config=config)
    return Run(bot=bot, interval=Interval.ONE_HOUR, initial_cash_usd=Decimal(10_000))


def _trips(candles: Sequence[Candle], config: Config) -> int:
    """A run with all that it needs but the reading of its candles."""
    market = Market(candles, has_second=True)
    return len(Simulation(run_of(config), market, 0, len(market)).run().trips)


async def _swept(candles: list[Candle]) -> int:
    periods = Axis(SweepField.PERIOD, tuple(Decimal(each) for each in range(5, 25, 2)))
    thresholds = Axis(SweepField.THRESHOLD_PERCENTAGE, tuple(Decimal(each) / 2 for each in range(2, 12)))
    base = run_of(Momentum())
    parts = [Part(replace(base, bot=bot), 0, len(candles)) for _, bot in fitting(base.bot, (periods, thresholds))]
    assert len(parts) == RUNS
    processes = Processes()

    async def share(number: int) -> int:
        trips = 0
        async with processes.simulate(Task(candles, True, parts[number::PROCESSES], whole=False)) as simulating:
            async for message in simulating.messages():
                if isinstance(message, Done):
                    trips += message.metrics.round_trips
        return trips

    return sum(await asyncio.gather(*map(share, range(PROCESSES))))


def _timed(work: Callable[[], int]) -> tuple[float, int]:
    gc.collect()
    begun = time.perf_counter()
    trips = work()
    return time.perf_counter() - begun, trips


def _report(found: Sequence[Measured], loads: list[float]) -> Report:
    return Report(
        name="backtests",
        title="Back-tests",
        unit="seconds, median and range",
        target=TARGET_S,
        other_load=loads,
        conditions=[
            f"{YEAR:,} hourly candles of a random walk, prepared anew for each run; a sweep prepares them once in each"
            f" of {PROCESSES} processes, whose start is included. Nothing is read from a database.",
            "Each strategy with its default configuration, but for a wider grid and a scalper that trades more.",
        ],
        columns=["", "seconds", "range", "round trips", "target"],
        rows=[
            [
                each.name,
                f"{median(each.seconds):.2f}",
                f"{min(each.seconds):.2f}-{max(each.seconds):.2f}",
                f"{each.trips:,}",
                f"{each.target_s:g}",
            ]
            for each in found
        ],
        bars=[
            Bar(
                "one sweep" if each.target_s == SWEEP_TARGET_S else "one year",
                each.name,
                median(each.seconds),
                min(each.seconds),
                max(each.seconds),
            )
            for each in found
        ],
        raw=[each._asdict() for each in found],
    )

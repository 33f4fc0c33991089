"""A tick of 250 prices over a million alerts: finding those that were crossed, and letting them fire."""

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice
from statistics import median
from typing import Any, Final, TypeAlias
from uuid import UUID

import asyncpg
import msgspec
from rich.progress import Progress

from app.dev.embedded import Embedded
from app.domains.accounts.services.mail_queue import MailQueue
from app.domains.market.alerts.model import AlertType
from app.domains.market.alerts.services.dispatcher import AlertDispatcher
from app.domains.market.alerts.services.matcher import AlertMatcher
from app.domains.market.alerts.services.price_alerts import PriceAlerts
from app.domains.market.prices.model import Move
from app.domains.notifications.services import Notifications
from app.kit.clock import SystemClock
from app.kit.crypto.envelope import Keyring
from app.kit.db import SYSTEM, Database, Tx
from app.kit.events import EventLog
from app.kit.mail import Message
from app.kit.redis_client import open_redis
from bench.data import fresh_database
from bench.machine import wait_for_quiet
from bench.report import Bar, Report

Owner: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
SYMBOLS: Final = 250
USERS: Final = 20_000
ALERTS: Final = 1_000_000
TARGET_MS: Final = 250.0
TICKS: Final = 15
SPREAD: Final = 0.10
"""Thresholds lie around the price with this standard deviation, as a part of it."""
YEARLY_VOLATILITY: Final = 0.8
_TICK_S: Final = 1.0
_SECONDS_A_YEAR: Final = 365 * 24 * 60 * 60
_BATCH: Final = 50_000
_STEP: Final = Decimal("0.000000000001")
_COLUMNS: Final = ("user_id", "symbol", "alert_type", "threshold_value", "condition_details", "rearm")


class Tick(msgspec.Struct, frozen=True):
    """One tick of all symbols: milliseconds from BEGIN until the commit is on disk, and how many alerts fired."""

    kind: str
    elapsed_ms: float
    fired: int


class Market:
    """Prices that move, and the alerts around them. The same seed makes the same market."""

    def __init__(self, seed: int = 4) -> None:
        self._random = random.Random(seed)
        self.symbols = [f"T{number:03}" for number in range(SYMBOLS)]
        self.prices = {symbol: _decimal(10 ** self._random.uniform(-4, 5)) for symbol in self.symbols}
        self.users = [UUID(bytes=self._random.randbytes(16), version=4) for _ in range(USERS)]

    def alerts(self) -> Iterator[tuple[Any, ...]]:
        """The threshold of each is on the other side of the price. Nine in ten fire only once."""
        for number in range(ALERTS):
            symbol = self.symbols[number % SYMBOLS]
            away = abs(self._random.gauss(0, SPREAD))
            above = self._random.random() < 0.5
            threshold = _decimal(float(self.prices[symbol]) * (1 + away if above else 1 / (1 + away)))
            kind = AlertType.PRICE_ABOVE if above else AlertType.PRICE_BELOW
            rearm = "once" if self._random.random() < 0.9 else "every_time"
            yield self._random.choice(self.users), symbol, kind.value, threshold, {"price": str(threshold)}, rearm

    def move(self, deviation: float) -> list[Move]:
        """Moves all prices at once; `deviation` is the standard deviation of the relative change."""
        moves = []
        for symbol, before in self.prices.items():
            after = self.prices[symbol] = _decimal(float(before) * (1 + self._random.gauss(0, deviation)))
            moves.append(Move(symbol, before, after))
        return moves


def _decimal(value: float) -> Decimal:
    return Decimal(value).quantize(_STEP)


class _NoMailer:
    async def send(self, message: Message) -> None:
        raise RuntimeError("no user here asked for mail")


async def measure(servers: Embedded, ticks: int, progress: Progress) -> Report:
    """Fills a database, then times `ticks` ticks of each kind."""
    market = Market()
    database_url = await fresh_database(servers.database_url, "bench_alerts")
    owner = await asyncpg.connect(database_url, command_timeout=600)
    database = await Database.open(database_url, role="moneta_app", size=2, timeout_s=10.0, name="moneta-bench")
    redis = await open_redis(servers.redis_url)
    try:
        await _fill(owner, market, progress)
        mail_queue = MailQueue(Keyring.generate(), _NoMailer())
        clock = SystemClock()
        notifications = Notifications(database, clock, EventLog(database, redis), mail_queue)
        dispatcher = AlertDispatcher(database, clock, notifications)
        price_alerts = PriceAlerts(AlertMatcher(database, clock, dispatcher))
        other_load = await asyncio.to_thread(wait_for_quiet)
        task = progress.add_task("Ticking", total=3 * ticks)
        measured = []
        a_second = YEARLY_VOLATILITY * (_TICK_S / _SECONDS_A_YEAR) ** 0.5
        for kind, deviation in (("nothing crossed", 1e-12), ("ordinary", a_second), ("a jump of 0.1%", 0.001)):
            for _ in range(ticks):
                measured.append(await _tick(owner, database, price_alerts, kind, market.move(deviation)))
                progress.advance(task)
        return _report(measured, other_load)
    finally:
        await redis.aclose()
        await database.close()
        await owner.close()


async def _fill(owner: Owner, market: Market, progress: Progress) -> None:
    task = progress.add_task("Filling alerts", total=ALERTS)
    await owner.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),
        decoder=lambda data: msgspec.json.decode(data[1:]),
        format="binary",
    )
    users = [(id, f"{number}@example.com", "A watcher", "-") for number, id in enumerate(market.users)]
    await owner.copy_records_to_table("users", records=users, columns=["id", "email", "full_name", "password_hash"])
    tokens = [(symbol.lower(), symbol, symbol) for symbol in market.symbols]
    await owner.copy_records_to_table("tokens", records=tokens, columns=["coingecko_id", "symbol", "name"])
    # The million foreign key checks are not what is measured, and none can fail.
    await owner.execute("SET session_replication_role = replica")
    alerts = market.alerts()
    while batch := list(islice(alerts, _BATCH)):
        await owner.copy_records_to_table("alerts", records=batch, columns=_COLUMNS)
        progress.advance(task, len(batch))
    await owner.execute("RESET session_replication_role")
    await owner.execute("VACUUM (ANALYZE)")
    # So that the dirty pages of the fill are not written while measuring.
    await owner.execute("CHECKPOINT")


async def _tick(owner: Owner, database: Database, price_alerts: PriceAlerts, kind: str, moves: Sequence[Move]) -> Tick:
    before = await owner.fetchval("SELECT count(*) FROM notifications")

    async def work(tx: Tx) -> None:
        await price_alerts.evaluate(tx, "simulated", moves)

    begun = time.perf_counter()
    await database.write(SYSTEM, work)
    elapsed_ms = (time.perf_counter() - begun) * 1000
    return Tick(kind, elapsed_ms, await owner.fetchval("SELECT count(*) FROM notifications") - before)


def _report(ticks: Sequence[Tick], other_load: float) -> Report:
    kinds = list(dict.fromkeys(tick.kind for tick in ticks))
    of_kind = {kind: [tick for tick in ticks if tick.kind == kind] for kind in kinds}

    def row(kind: str) -> list[str]:
        times, fired = [tick.elapsed_ms for tick in of_kind[kind]], [tick.fired for tick in of_kind[kind]]
        cost = (median(times) - idle) / median(fired) * 1000 if median(fired) else None
        return [
            kind,
            f"{median(times):.1f} ms",
            f"{min(times):.1f}-{max(times):.1f} ms",
            f"{median(fired):,.0f}",
            "" if cost is None else f"{cost:.0f} ms",
        ]

    idle = median(tick.elapsed_ms for tick in of_kind[kinds[0]])
    return Report(
        name="alerts",
        title="A tick of 250 prices over a million alerts",
        unit="milliseconds, median and range",
        target=TARGET_MS,
        other_load=[other_load],
        conditions=[
            f"{ALERTS:,} price alerts of {USERS:,} users on {SYMBOLS} symbols, half of each direction, "
            f"their thresholds {SPREAD:.0%} (standard deviation) from the price. The target for a tick is "
            f"{TARGET_MS:.0f} ms.",
            f"A tick moves all {SYMBOLS} prices at once. Ordinary: by a second's share of {YEARLY_VOLATILITY:.0%} "
            "yearly volatility. The time is from BEGIN until the commit is on disk: finding, updating the alerts, "
            "making notifications, appending an event of each.",
            "As the application's role, under forced row-level security. No alert sends mail.",
            "One process; Postgres on the same cores.",
        ],
        columns=["tick", "median", "range", "fired (median)", "for 1,000 firings"],
        rows=[row(kind) for kind in kinds],
        bars=[
            Bar(kind, "Moneta", median(times), min(times), max(times))
            for kind in kinds
            if (times := [tick.elapsed_ms for tick in of_kind[kind]])
        ],
        raw=list(ticks),
    )

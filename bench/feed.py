"""The price feed: 250 tokens, a tick a second, from the provider to the sockets: what it costs. And a chart."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any, Final

import asyncpg
import msgspec
import websockets
from rich.progress import Progress

from app.dev.embedded import Embedded
from app.dev.processes import Log, spawn, stop
from app.domains.market.prices.model import Candle, Interval
from app.domains.market.prices.services.history import History
from app.domains.market.providers.services.simulated import SIMULATED
from app.kit.db import Database
from app.kit.redis_client import open_redis
from bench.data import fresh_database
from bench.machine import ROOT, cpu_seconds, parent, wait_for_quiet
from bench.report import Bar, Report
from bench.servers import HOME, WORK, Target, moneta

TOKENS: Final = 250
TARGET_SHARE: Final = 0.15
MEASURED_S: Final = 60.0
"""A whole minute, so that the end of one is in it."""
WARMUP_S: Final = 5.0
READY_S: Final = 60.0
SOCKETS: Final = 10
"""Of each kind."""
SOME: Final = 20
"""Tokens that the second kind follows."""
CANDLES: Final = 1000
QUESTIONS: Final = 50

COLUMNS: Final = "symbol priceUsd changePercentage24h volume24hUsd at"
TICKS: Final = (
    f"subscription Ticks($symbols: [String!]) {{ priceTicks(symbols: $symbols) {{ at ticks {{ {COLUMNS} }} }} }}"
)
FORMING: Final = """subscription Forming($symbol: String!) { candleTicks(symbol: $symbol, interval: ONE_MINUTE) {
  open { openedAt open high low close volumeUsd } closed { openedAt close } } }"""
CHART: Final = f"""{{ token(by: {{symbol: "BTC"}}) {{ candles(interval: ONE_MINUTE, first: {CANDLES}) {{
  nodes {{ symbol exchange interval openedAt open high low close volumeUsd }} }} }} }}"""


class Usage(msgspec.Struct, frozen=True):
    """What a process used of one core over the measured time, and what was delivered in it."""

    worker: float
    api: float
    postgres: float
    valkey: float
    ticks: int
    events: int
    kilobytes: float


class Pids(msgspec.Struct, frozen=True):
    """The processes that are watched, but for Postgres, which is many."""

    worker: int
    api: int
    valkey: int

    def seconds(self, postmaster: int) -> tuple[float, float, float, float]:
        """What each has used so far, as Usage has them."""
        return (
            cpu_seconds(self.worker),
            cpu_seconds(self.api),
            _tree_seconds(postmaster),
            cpu_seconds(self.valkey),
        )


class Chart(msgspec.Struct, frozen=True):
    """A thousand candles through the graph."""

    milliseconds: list[float]
    statements: int


def measure(servers: Embedded, seconds: float, progress: Progress) -> Report:
    """Runs a worker and an API on a market of its own, and listens."""
    database_url = asyncio.run(fresh_database(servers.database_url, "bench_feed"))
    valkey = asyncio.run(_empty(servers.redis_url))
    environment = {
        "MONETA_HOME": str(HOME),
        "MONETA_DATABASE_URL": database_url,
        "MONETA_REDIS_URL": servers.redis_url,
    }
    other_load = wait_for_quiet()
    with _worker(environment) as worker, moneta(database_url, servers.redis_url, {}) as api:
        usage = asyncio.run(_listen(database_url, Pids(worker.pid, api.pid, valkey), api, seconds, progress))
        chart = asyncio.run(_chart(database_url, api, progress))
    return _report(usage, chart, other_load, seconds)


async def _empty(redis_url: str) -> int:
    """Deletes what other benches left; returns the server's process."""
    redis = await open_redis(redis_url)
    await redis.flushdb()
    pid = int((await redis.info("server"))["process_id"])
    await redis.aclose()
    return pid


@contextmanager
def _worker(environment: Mapping[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    log = Log(WORK / "feed-worker.log")
    process = spawn(
        [sys.executable, "-m", "app", "work"],
        cwd=ROOT,
        env={**os.environ, **environment},
        user=None,
        log=log,
        on_parent_death=signal.SIGTERM,
    )
    try:
        yield process
        if process.poll() is not None:
            raise log.error("The worker ended.")
    finally:
        stop(process, (signal.SIGTERM, 10.0))


class Ear:
    """One socket with one subscription, which counts what it receives."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self._socket = socket
        self.events = 0
        self.bytes = 0

    async def listen(self, query: str, variables: dict[str, Any]) -> None:
        await self._socket.send(msgspec.json.encode({"type": "connection_init"}).decode())
        await self._socket.recv()
        payload = {"query": query, "variables": variables}
        await self._socket.send(msgspec.json.encode({"id": "1", "type": "subscribe", "payload": payload}).decode())
        async for message in self._socket:
            if '"errors"' in str(message)[:200]:
                raise RuntimeError(str(message)[:500])
            self.events += 1
            self.bytes += len(message)


async def _listen(database_url: str, pids: "Pids", api: Target, seconds: float, progress: Progress) -> Usage:
    owner = await asyncpg.connect(database_url)
    symbols = await _first_tick(owner)
    postmaster = parent(await owner.fetchval("SELECT pg_backend_pid()"))
    async with AsyncExitStack() as stack:
        ears = []
        for kind in range(3):
            for number in range(SOCKETS):
                address = f"ws://127.0.0.1:{api.port}/graphql"
                socket = await stack.enter_async_context(
                    websockets.connect(address, subprotocols=[websockets.Subprotocol("graphql-transport-ws")])
                )
                ear, (query, variables) = Ear(socket), _subscription(kind, number, symbols)
                ears.append(ear)
                listening = asyncio.create_task(ear.listen(query, variables))
                stack.callback(listening.cancel)
        await asyncio.sleep(WARMUP_S)
        if not all(ear.events for ear in ears):
            raise RuntimeError("a socket receives nothing")
        task = progress.add_task("Listening to the market", total=seconds)
        before = pids.seconds(postmaster)
        counted = [(ear.events, ear.bytes) for ear in ears]
        begun = time.monotonic()
        while time.monotonic() - begun < seconds:
            await asyncio.sleep(min(1.0, seconds))
            progress.update(task, completed=time.monotonic() - begun)
        elapsed_s = time.monotonic() - begun
        after = pids.seconds(postmaster)
        worker_share, api_share, postgres, valkey_share = (
            (end - start) / elapsed_s for start, end in zip(before, after, strict=True)
        )
        events = [ear.events - start for ear, (start, _) in zip(ears, counted, strict=True)]
        kilobytes = sum(ear.bytes - start for ear, (_, start) in zip(ears, counted, strict=True)) / 1024
    await owner.close()
    return Usage(
        worker_share, api_share, postgres, valkey_share, ticks=max(events), events=sum(events), kilobytes=kilobytes
    )


async def _first_tick(owner: "asyncpg.Connection[asyncpg.Record]") -> list[str]:
    """All symbols, once each has a price."""
    deadline = time.monotonic() + READY_S
    while len(found := await owner.fetch("SELECT symbol FROM market_data")) < TOKENS:
        if time.monotonic() > deadline:
            raise RuntimeError("the worker feeds no prices")
        await asyncio.sleep(0.2)
    return [row[0] for row in found]


def _subscription(kind: int, number: int, symbols: list[str]) -> tuple[str, dict[str, Any]]:
    match kind:
        case 0:
            return TICKS, {}
        case 1:
            # Each its own tokens: nothing is shared between these sockets.
            return TICKS, {"symbols": symbols[number * SOME : (number + 1) * SOME]}
    return FORMING, {"symbol": symbols[number]}


def _tree_seconds(postmaster: int) -> float:
    """Of a server and its children, those that have ended among them."""
    fields = Path(f"/proc/{postmaster}/stat").read_text().rpartition(")")[2].split()
    total = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if parent(int(process.name)) == postmaster:
                total += cpu_seconds(int(process.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


async def _chart(database_url: str, api: Target, progress: Progress) -> Chart:
    database = await Database.open(database_url, role="moneta_app", size=2, timeout_s=10.0)
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    price, traded = Decimal("91234.123456789012"), Decimal("1234567.12")
    await History(database).ingest(
        Candle("BTC", SIMULATED, Interval.ONE_MINUTE, minute - timedelta(minutes=n), price, price, price, price, traded)
        for n in range(5, 40_005)
    )
    await database.close()
    task = progress.add_task("Asking for a chart", total=QUESTIONS)
    milliseconds, statements = [], 0
    for _ in range(QUESTIONS):
        begun = time.perf_counter()
        answer: Any = api.ask(CHART)
        milliseconds.append((time.perf_counter() - begun) * 1000)
        statements = answer["extensions"]["statements"]
        if len(answer["data"]["token"]["candles"]["nodes"]) != CANDLES:
            raise RuntimeError("candles are missing")
        progress.advance(task)
    return Chart(milliseconds, statements)


def _report(usage: Usage, chart: Chart, other_load: float, seconds: float) -> Report:
    shares = {"worker": usage.worker, "API": usage.api, "Postgres": usage.postgres, "Valkey": usage.valkey}
    took = f"{median(chart.milliseconds):.1f} ms ({min(chart.milliseconds):.1f}-{max(chart.milliseconds):.1f})"
    return Report(
        name="feed",
        title=f"The price feed: {TOKENS} tokens, a tick a second",
        unit="share of one core, per cent",
        target=TARGET_SHARE * 100,
        other_load=[other_load],
        conditions=[
            f"Over {seconds:.0f} s: {usage.ticks} ticks, {usage.events:,} events of {usage.kilobytes / 1024:.1f} MiB in"
            f" all to {3 * SOCKETS} sockets. Not gated; the target for the worker and for the API is"
            f" {TARGET_SHARE:.0%} of one core each.",
            "The worker: simulation, the candles of four intervals, publishing, one transaction a tick with the alerts'"
            " index scan, and at each minute's end its candles, the longer ones, samples and alerts on indicators; the"
            " relay and the queue of jobs as well.",
            f"The API: {SOCKETS} sockets on all {TOKENS} tokens (one execution for them), {SOCKETS} on {SOME} tokens of"
            f" their own each, {SOCKETS} on the candle of a token each; five columns a tick.",
            f"{CANDLES:,} candles with all nine columns through HTTP, of 40,000 stored, {QUESTIONS} times: {took}, in"
            f" {chart.statements} statements (the token, its candles).",
            "Postgres with every write on disk before it is acknowledged. No process was bound to a core but the API.",
        ],
        columns=["process", "share of one core"],
        rows=[[name, f"{share:.1%}"] for name, share in shares.items()],
        bars=[Bar("share", name, share * 100, share * 100, share * 100) for name, share in shares.items()],
        raw={"usage": usage, "chart": chart},
    )

"""5,000 watched portfolios at a tick a second: what a process spends on their values, and on delivering them."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg
import msgspec
from rich.progress import Progress

from app.dev.embedded import Embedded
from app.domains.accounts.model import Client, Role, Viewer
from app.domains.market.prices.model import MARKET, PRICES_TOPIC
from app.domains.trading.portfolios.services.holdings import MAX_AGE_S
from app.domains.trading.services import TradingServices
from app.engine.declarations.nodes import global_id
from app.engine.streams.budgets import Payer
from app.engine.streams.model import Delivery, EndReason, Transport
from app.engine.streams.subscription import Subscription
from app.kit.hub import Hub
from app.kit.process_rpc import ProcessRpc
from app.kit.pubsub import broadcast_over
from app.main import Application, build_runtime, open_application
from app.settings import Settings
from app.transport.runtime import AppRuntime, Caller
from bench.data import fresh_database
from bench.machine import wait_for_quiet
from bench.report import Bar, Report
from bench.servers import HOME

PORTFOLIOS: Final = 5_000
POSITIONS: Final = 10
SYMBOLS: Final = 250
TARGET: Final = 0.25
"""Of a core, at a tick a second."""
TICKS: Final = 8
DOCUMENTS: Final = {
    "delivered: total and profit": "subscription($id: ID!) { portfolioValue(portfolioId: $id) { at total pnl } }",
    "delivered: with each holding": """subscription($id: ID!) { portfolioValue(portfolioId: $id) {
        at total pnl holdings { symbol price marketValue unrealizedPnl }
    } }""",
}
_OPENED_AT_ONCE: Final = 50
_FILL: Final = """
SET session_replication_role = replica;
INSERT INTO tokens (coingecko_id, symbol, name)
SELECT 't' || n, 'T' || n, 'T' || n FROM generate_series(0, {symbols} - 1) n;
INSERT INTO market_data (symbol, exchange, price_usd, price_aud, last_updated)
SELECT 'T' || n, 'simulated', 1.5 + n, 2.25 + n, now() FROM generate_series(0, {symbols} - 1) n;
INSERT INTO users (email, full_name, password_hash)
SELECT n || '@example.com', 'A watcher', '-' FROM generate_series(1, {portfolios}) n;
INSERT INTO portfolios (user_id, is_default) SELECT id, true FROM users;
INSERT INTO cash_balances (portfolio_id, balance, contributed) SELECT id, 1234.56789012, 10000 FROM portfolios;
INSERT INTO positions (portfolio_id, symbol, quantity, cost)
SELECT p.id, 'T' || (p.number * 7 + n) % {symbols}, 1.23456789 * (n + 1), 10 FROM (
    SELECT id, row_number() OVER () AS number FROM portfolios
) p, generate_series(0, {positions} - 1) n;
RESET session_replication_role;
"""


class Tick(msgspec.Struct, frozen=True):
    """Seconds of the processor for a tick of all portfolios."""

    kind: str
    cpu_s: float


class _Counter:
    """A subscriber, or many, of whom each has taken a tick once `all_have` is set."""

    def __init__(self) -> None:
        self.all_have = asyncio.Event()
        self._taken = 0

    def deliver(self, deliveries: Sequence[Delivery]) -> bool:
        self._taken += len(deliveries)
        if self._taken == PORTFOLIOS:
            self._taken = 0
            self.all_have.set()
        return True

    def finish(self, errors: list[dict[str, Any]]) -> None:
        if errors:
            raise RuntimeError(f"a subscription has ended: {errors}")


async def measure(servers: Embedded, ticks: int, progress: Progress) -> Report:
    """Fills a database, then ticks."""
    database_url = await fresh_database(servers.database_url, "bench_watched")
    owner = await asyncpg.connect(database_url, command_timeout=600)
    await owner.execute(_FILL.format(symbols=SYMBOLS, portfolios=PORTFOLIOS, positions=POSITIONS))
    await owner.execute("VACUUM (ANALYZE)")
    watched = [(row["id"], row["user_id"]) for row in await owner.fetch("SELECT id, user_id FROM portfolios")]
    await owner.close()
    task = progress.add_task("Ticking", total=ticks * (1 + len(DOCUMENTS)))
    measured, load = list[Tick](), list[float]()
    settings = Settings(database_url=database_url, redis_url=servers.redis_url, home=HOME)
    async with open_application(settings) as application:
        hub = Hub(broadcast_over(application.redis), application.events, memory_limit=100)
        runtime = build_runtime(application, hub, ProcessRpc(application.redis))
        await hub.start()
        try:
            load.append(await asyncio.to_thread(wait_for_quiet))
            for number in range(ticks + 1):
                cpu_s = await _compute(application, watched, _tick(number))
                if number:
                    measured.append(Tick("computed", cpu_s))
                    progress.advance(task)
            for kind, document in DOCUMENTS.items():
                opened, counter = await _open(runtime, document, watched), _Counter()
                for subscription in opened:
                    subscription.sink = counter
                load.append(await asyncio.to_thread(wait_for_quiet))
                for number in range(ticks + 1):
                    cpu_s = await _deliver(hub, counter, _tick(number))
                    if number:
                        measured.append(Tick(kind, cpu_s))
                        progress.advance(task)
                for subscription in opened:
                    subscription.close(EndReason.DISCONNECTED)
        finally:
            runtime.subscriptions.stop()
            await hub.stop()
    return _report(measured, load)


def _tick(number: int) -> dict[str, Any]:
    """A tick as it is published."""
    at = (datetime.now(UTC) + timedelta(seconds=number)).isoformat()
    quotes = {
        f"T{each}": {
            "symbol": f"T{each}",
            "price_usd": f"{each + 1.5 + number / 1000:.12f}",
            "price_aud": f"{each + 2.25 + number / 1000:.12f}",
            "change_percentage_24h": "1.5",
            "volume_24h_usd": "123456.78",
            "at": at,
        }
        for each in range(SYMBOLS)
    }
    return {"source": "simulated", "at": at, "quotes": quotes}


async def _compute(application: Application, watched: Sequence[tuple[UUID, UUID]], tick: Any) -> float:
    values = application.services[TradingServices].values
    begun = time.process_time()
    held = await asyncio.gather(*(values.watched(user_id, id, tick) for id, user_id in watched))
    for each in held:
        values.live(each, tick)
    return time.process_time() - begun


async def _open(runtime: AppRuntime, document: str, watched: Sequence[tuple[UUID, UUID]]) -> list[Subscription]:
    opened, waiting = list[Subscription](), iter(watched)

    async def open_some() -> None:
        for id, user_id in waiting:
            soon = datetime.now(UTC) + timedelta(hours=1)
            viewer = Viewer(user_id, uuid4(), Role.USER, True, soon, Client("127.0.0.1", "bench"))
            variables = {"id": global_id("Portfolio", id)}
            prepared = runtime.engine.prepare(document, None, variables, introspection_allowed=True)
            assert not isinstance(prepared, list), prepared
            caller = Caller(viewer=viewer, client=viewer.client, request_id="bench", from_browser=False)
            payer = Payer(id, user_id, is_viewer=True)
            made = await runtime.subscriptions.open(
                prepared, runtime.new_context(caller), _Counter(), Transport.WEBSOCKET, payer
            )
            assert isinstance(made, Subscription), made
            opened.append(made)

    await asyncio.gather(*(open_some() for _ in range(_OPENED_AT_ONCE)))
    return opened


async def _deliver(hub: Hub, counter: _Counter, tick: Any) -> float:
    counter.all_have.clear()
    begun = time.process_time()
    hub.publish(PRICES_TOPIC, MARKET, tick)
    await counter.all_have.wait()
    return time.process_time() - begun


def _report(measured: Sequence[Tick], load: list[float]) -> Report:
    kinds = list(dict.fromkeys(tick.kind for tick in measured))
    shares = {kind: [tick.cpu_s for tick in measured if tick.kind == kind] for kind in kinds}
    return Report(
        name="watched",
        title=f"{PORTFOLIOS:,} watched portfolios at a tick a second",
        unit="share of a core",
        target=TARGET,
        other_load=load,
        conditions=[
            f"{PORTFOLIOS:,} portfolios of {PORTFOLIOS:,} users, each with {POSITIONS} of {SYMBOLS} tokens, all quoted "
            "by each tick. One process; the time is that of its processor, so that a second of it is a whole core.",
            "Computed: what each portfolio holds and is worth. Delivered: through a subscription of each user, with "
            "the execution of the document and its JSON, until it is handed to a sink; without sockets.",
            f"Nothing is posted meanwhile. What the comparison with the database each {MAX_AGE_S:g} seconds takes is "
            "in the ticks that it falls in.",
        ],
        columns=["what", "share of a core, median", "range", "for a portfolio", "target"],
        rows=[
            [
                kind,
                f"{median(values):.1%}",
                f"{min(values):.1%}-{max(values):.1%}",
                f"{median(values) / PORTFOLIOS * 1e6:.0f} µs",
                f"{TARGET:.0%}",
            ]
            for kind, values in shares.items()
        ],
        bars=[Bar(kind, "Moneta", median(values), min(values), max(values)) for kind, values in shares.items()],
        raw=list(measured),
    )

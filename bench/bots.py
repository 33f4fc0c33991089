"""The end of a minute's candle for a thousand bots: what they decide, and the orders that come of it, matched."""

import asyncio
import gc
import time
from datetime import timedelta
from decimal import Decimal
from statistics import median
from typing import Any, Final, NamedTuple

import asyncpg
from rich.progress import Progress

from app.dev.embedded import Embedded
from app.domains.market.prices.model import Interval, Move
from app.domains.market.providers.services.simulated import SIMULATED
from app.domains.trading.bots.rules.deciding import last_close
from app.domains.trading.bots.services.runner import BOTS_AT_ONCE
from app.domains.trading.matching.services.prices import PriceNotes
from app.domains.trading.services import TradingServices
from app.domains.trading.strategies.model import WINDOW_CANDLES
from app.kit.clock import FixedClock, SystemClock
from app.kit.db import SYSTEM
from app.main import Application, open_application
from app.settings import Settings
from bench.data import fresh_database
from bench.machine import wait_for_quiet
from bench.report import Bar, Report
from bench.servers import HOME
from bench.trading import market
from bench.trading.market import OWNERS, PRICE, SYMBOLS, Owner

BOTS: Final = SYMBOLS * OWNERS
TARGET_S: Final = 10.0
IDLE_S: Final = 0.02
_STRATEGIES: Final = (
    "dca", "grid", "momentum", "mean_reversion", "scalping", "arbitrage", "trend_following", "breakout",
    "pattern_recognition",
)  # fmt: skip
_CANDLES: Final = """
INSERT INTO candles (symbol, exchange, interval, opened_at, open, high, low, close, volume_usd)
SELECT t.symbol, $1, '1m', $2::timestamptz - n * interval '1 minute', p.price, p.price * 1.001, p.price * 0.999,
    p.price * (1 + 0.0005 * sin(n)), 1000 + n
FROM tokens t, generate_series(1, $3::integer) n,
    LATERAL (SELECT $4::numeric * (1 + 0.02 * sin(n / 9.0) + 0.005 * cos(n * 1.7))::numeric AS price) p
"""
_MAKE: Final = """
INSERT INTO trading_bots (user_id, portfolio_id, name, strategy, config, target_symbols, interval, status, started_at)
SELECT p.user_id, p.id, 'A bot', s.strategy, jsonb_build_object('type', s.strategy),
    ARRAY[format('T%s', lpad((p.name::integer / $2::integer)::text, 3, '0'))], '1m', 'active', '2020-01-01'
FROM portfolios p, LATERAL (SELECT ($1::text[])[1 + p.name::integer % cardinality($1)] AS strategy) s
"""


class Minute(NamedTuple):
    """The end of one candle: seconds until all have decided, and until their orders are matched too."""

    decided_s: float
    matched_s: float
    signals: int
    fills: int


async def measure(servers: Embedded, rounds: int, progress: Progress) -> Report:
    """In this process, as a worker has it: with the database, the events and Redis."""
    database_url = await fresh_database(servers.database_url, "bench_bots")
    settings = Settings(database_url=database_url, redis_url=servers.redis_url, home=HOME)
    owner = await asyncpg.connect(database_url, command_timeout=600)
    clock = FixedClock(SystemClock().now())
    try:
        async with open_application(settings, clock=clock) as application:
            trading = application.services[TradingServices]
            await _fill(owner, clock)
            await trading.matcher.lead()
            load = await asyncio.to_thread(wait_for_quiet)
            task, found = progress.add_task("bots", total=rounds), list[Minute]()
            for _ in range(rounds):
                await _quote(application, clock)
                found.append(await _minute(trading, owner, clock))
                progress.advance(task)
            return _report(found, load)
    finally:
        await owner.close()


async def _quote(application: Application, clock: FixedClock) -> None:
    """A tick of all tokens, matched: the exchange has a price of now."""
    moves = [Move(f"T{number:03}", None, Decimal(PRICE)) for number in range(SYMBOLS)]
    await application.database.write(SYSTEM, lambda tx: PriceNotes(clock).note(tx, SIMULATED, moves))
    while (await application.services[TradingServices].matcher.match()).commands:
        pass


async def _fill(owner: Owner, clock: FixedClock) -> None:
    await market.begin(owner)
    closed_at = last_close(Interval.ONE_MINUTE, clock.now())
    await owner.execute("SELECT make_partitions('candles', $1, $2)", closed_at - timedelta(days=1), closed_at)
    await owner.execute(_CANDLES, SIMULATED, closed_at, WINDOW_CANDLES + 5, Decimal(PRICE))
    await owner.execute(_MAKE, list(_STRATEGIES), OWNERS)
    await owner.execute("VACUUM (ANALYZE)")
    await owner.execute("CHECKPOINT")


async def _minute(trading: TradingServices, owner: Owner, clock: FixedClock) -> Minute:
    """The bots decide in jobs that run at once, as a worker runs them, which matches what comes of it meanwhile."""
    await owner.execute("UPDATE bot_states SET decided_at = decided_at - interval '1 day', state = NULL")
    await owner.execute("DELETE FROM trading_signals")
    closed_at = last_close(Interval.ONE_MINUTE, clock.now())
    ids = [str(row[0]) for row in await owner.fetch("SELECT id FROM trading_bots ORDER BY id")]
    gc.collect()
    about: dict[str, Any] = {"interval": "1m", "closed_at": closed_at.isoformat()}
    parts = [about | {"bots": ids[start : start + BOTS_AT_ONCE]} for start in range(0, len(ids), BOTS_AT_ONCE)]
    began = time.perf_counter()
    deciding = asyncio.gather(*map(trading.bot_runner.run, parts))
    matching = asyncio.create_task(_match(trading, deciding))
    await deciding
    decided = time.perf_counter()
    fills = await matching
    matched = time.perf_counter()
    signals = await owner.fetchval("SELECT count(*) FROM trading_signals WHERE signal_type <> 'HOLD'")
    left = await owner.fetchval("SELECT count(*) FROM bot_states WHERE decided_at < $1", closed_at)
    if left:
        raise RuntimeError(f"{left} bots have not decided")
    return Minute(decided - began, matched - began, signals, fills)


async def _match(trading: TradingServices, deciding: asyncio.Future[Any]) -> int:
    """Matches until nothing is left of what comes of deciding; returns the fills."""
    fills, is_last = 0, False
    while not is_last:
        is_last = deciding.done()
        while (batch := await trading.matcher.match()).commands:
            fills, is_last = fills + batch.fills, False
        await asyncio.sleep(IDLE_S)
    return fills


def _report(found: list[Minute], load: float) -> Report:
    decided, matched = [each.decided_s for each in found], [each.matched_s for each in found]
    rows = [
        ["decided, orders placed", _seconds(decided), f"{TARGET_S:.0f} s"],
        ["and matched", _seconds(matched), f"{TARGET_S:.0f} s"],
        ["signals to buy or sell", f"{median(each.signals for each in found):,.0f}", ""],
        ["fills", f"{median(each.fills for each in found):,.0f}", ""],
    ]
    return Report(
        name="bots",
        title=f"The end of a candle for {BOTS:,} bots",
        unit="seconds, median and range",
        target=TARGET_S,
        other_load=[load],
        conditions=[
            f"{BOTS:,} active bots of nine strategies in {SYMBOLS} tokens, one worker, jobs of {BOTS_AT_ONCE} at once"
        ],
        columns=["", "found", "target"],
        rows=rows,
        bars=[_bar("decided", decided), _bar("matched", matched)],
        raw=found,
    )


def _bar(series: str, values: list[float]) -> Bar:
    return Bar(f"{BOTS:,} bots", series, median(values), min(values), max(values))


def _seconds(values: list[float]) -> str:
    return f"{median(values):.2f} s ({min(values):.2f} to {max(values):.2f})"

"""Four workers with fifty bots; each cycle kills one of them while bots decide, and starts another."""

import asyncio
import base64
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
from pydantic import SecretStr

from app.domains.accounts.model import Viewer
from app.domains.market.prices.model import Interval
from app.domains.trading.bots.model import NewBot
from app.domains.trading.portfolios.model import NewPortfolio
from app.domains.trading.services import TradingServices
from app.domains.trading.strategies.model import Config, Dca, Grid, Momentum, RiskLevel, Scalping
from app.kit.migrate import migrate
from app.main import Application, open_application
from app.settings import Settings
from tests.databases import PRESENT, Owner
from tests.domains.trading.bots.walks.laws import broken
from tests.domains.trading.reservations import check_reservations
from tests.factories import register
from tests.streams.bots.hurried import BEGIN, FACTOR, hurried_time
from tests.streams.exchange.audit import WRONG, is_matched
from tests.streams.processes import Process
from tests.streams.servers import Servers
from tests.waiting import elapse, until

WORKERS: Final = 4
BOTS: Final = 50
HURRY: Final = 10
"""A candle of a minute takes six seconds."""
SYMBOLS: Final = ("BTC", "ETH", "SOL", "XRP")
LONGEST_PAUSE_S: Final = 0.4
"""A worker is killed a random moment after the first bot has decided on a candle."""
STARTED: Final = "job.done"

NOTE_DECISIONS: Final = """
CREATE TABLE decisions (bot_id uuid NOT NULL, symbol text NOT NULL, decided_at timestamptz NOT NULL);
CREATE FUNCTION note_decision() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    INSERT INTO decisions VALUES (NEW.bot_id, NEW.symbol, NEW.decided_at);
    PERFORM pg_notify('decisions', extract(epoch FROM NEW.decided_at)::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER note_decision AFTER INSERT OR UPDATE OF decided_at ON bot_states
    FOR EACH ROW EXECUTE FUNCTION note_decision();
"""
"""What is committed of decisions: a signal is not stored of each."""
READY: Final = "SELECT count(DISTINCT symbol) FROM candles WHERE interval = '1m' AND symbol = ANY ($1)"
TWICE: Final = "SELECT * FROM decisions GROUP BY bot_id, symbol, decided_at HAVING count(*) > 1"


@dataclass(frozen=True)
class Outcome:
    """What was done, all of it once."""

    kills: int
    candles: int
    decisions: int
    due: int
    """Decisions that there would be if no candle was missed."""
    signals: int
    orders: int
    fills: int


@dataclass
class Workers:
    """The workers, and what a test needs to kill them and to read what they did."""

    home: Path
    application: Application
    environment: dict[str, str]
    owner: Owner
    viewer: Viewer
    running: list[Process] = field(default_factory=list)
    bots: list[UUID] = field(default_factory=list)
    kills: int = 0

    def __post_init__(self) -> None:
        self._chance = random.Random(12)
        self._newest = 0.0
        """The end of the newest candle that a bot has decided on."""
        self._heard = asyncio.Event()

    @property
    def trading(self) -> TradingServices:
        return self.application.services[TradingServices]

    async def begin(self) -> None:
        """Returns once the workers run, there are prices and candles, and the bots are active."""
        await self.owner.execute(NOTE_DECISIONS)
        await self.owner.add_listener("decisions", self._hear)
        await self._complete()
        await until(self._has_candles)
        portfolios = [
            await self.trading.portfolios.create(self.viewer, NewPortfolio(name=f"Portfolio {at}"), f"portfolio {at}")
            for at in range(5)
        ]
        for number in range(BOTS):
            new = self._bot(number, portfolios[number % len(portfolios)])
            self.bots.append(await self.trading.bots.create(self.viewer, new, f"bot {number}"))
        for id in self.bots:
            await self.trading.bots.start(self.viewer, id)

    def _bot(self, number: int, portfolio_id: UUID) -> NewBot:
        strategies: Sequence[Config] = (
            Dca(amount_usd=Decimal(20), every_candles=1),
            Grid(levels=20, range_percentage=Decimal(1)),
            Dca(amount_usd=Decimal(15), every_candles=2),
            Momentum(period=2, threshold_percentage=Decimal("0.01"), rsi_period=2, overbought=Decimal(99)),
            Scalping(fast_period=2, slow_period=3, volume_ratio=Decimal("0.1")),
        )
        return NewBot(
            portfolio_id=portfolio_id,
            name=f"Bot {number}",
            strategy=strategies[number % len(strategies)],
            target_symbols=[SYMBOLS[number % len(SYMBOLS)], SYMBOLS[(number + 1) % len(SYMBOLS)]],
            interval=Interval.ONE_MINUTE,
            max_position_usd=Decimal(100),
            stop_loss_percentage=Decimal("0.3"),
            take_profit_percentage=Decimal("0.2"),
            risk_level=RiskLevel.LOW,
            ai_model=None,
        )

    async def cycle(self) -> None:
        """Kills a worker while bots decide on a candle, and starts another."""
        await self._next_candle()
        await elapse(self._chance.uniform(0, LONGEST_PAUSE_S))
        killed = self.running.pop(self._chance.randrange(len(self.running)))
        killed.kill()
        self.kills += 1
        await self._complete()

    async def end(self) -> Outcome:
        """Stops the bots; returns what was done once all of it is matched. Raises AssertionError if it is not right."""
        await self._next_candle()
        for id in self.bots:
            await self.trading.bots.pause(self.viewer, id)
        await until(lambda: is_matched(self.owner))
        defects = [
            line for each in self.running for line in each.log.written().splitlines() if '"level":"error"' in line
        ]
        assert defects == []
        for worker in self.running:
            await worker.stop()
        return await self._audit()

    async def _audit(self) -> Outcome:
        owner = self.owner
        assert await owner.fetch(TWICE) == [], "a bot decided twice on a candle"
        found = await broken(owner)
        assert found == [], found
        every = [row["id"] for row in await owner.fetch("SELECT id FROM orders")]
        for what, sql in WRONG.items():
            rows = await owner.fetch(sql, *([every] if "$1" in sql else []))
            assert rows == [], f"{what}: {rows[:5]}"
        await check_reservations(owner)
        report = await self.trading.books.check()
        assert list(report.findings) == []
        candles = await owner.fetchval("SELECT count(DISTINCT decided_at) FROM decisions")
        return Outcome(
            kills=self.kills,
            candles=candles,
            decisions=await owner.fetchval("SELECT count(*) FROM decisions"),
            due=candles * BOTS * 2,
            signals=await owner.fetchval("SELECT count(*) FROM trading_signals"),
            orders=await owner.fetchval("SELECT count(*) FROM orders"),
            fills=await owner.fetchval("SELECT count(*) FROM fills"),
        )

    async def _complete(self) -> None:
        """Starts workers until there are as many as there should be, and waits for them."""
        while len(self.running) < WORKERS:
            self.running.append(Process("work", self.home, self.environment, module="tests.streams.bots.hurried"))
        await asyncio.gather(*(worker.says(STARTED) for worker in self.running))

    async def _has_candles(self) -> bool:
        return bool(await self.owner.fetchval(READY, SYMBOLS) == len(SYMBOLS))

    async def _next_candle(self) -> None:
        """Returns once a bot has decided on a candle after the newest."""
        before = self._newest
        while self._newest <= before:
            self._heard.clear()
            await self._heard.wait()

    def _hear(self, _: object, __: int, ___: str, payload: object) -> None:
        self._newest = max(self._newest, float(str(payload)))
        self._heard.set()


@asynccontextmanager
async def workers_with_bots(home: Path, servers: Servers) -> AsyncIterator[Workers]:
    """All of it, running."""
    settings = Settings(
        home=home,
        database_url=servers.database_url,
        redis_url=servers.redis_url,
        secret_key=SecretStr("s" * 48),
        key_encryption_keys=SecretStr(f"test:{base64.b64encode(bytes(32)).decode()}"),
    )
    assert settings.secret_key is not None
    assert settings.key_encryption_keys is not None
    begin = datetime.now(UTC)
    environment = {
        "MONETA_HOME": str(home),
        "MONETA_DATABASE_URL": servers.database_url,
        "MONETA_REDIS_URL": servers.redis_url,
        "MONETA_SECRET_KEY": settings.secret_key.get_secret_value(),
        "MONETA_KEY_ENCRYPTION_KEYS": settings.key_encryption_keys.get_secret_value(),
        "MONETA_DATABASE_POOL_SIZE": "8",
        "MONETA_MARKET_TOKEN_LIMIT": "10",
        "MONETA_MARKET_PERIOD_S": "1",
        # A worker that feeds prices is killed as well, and time goes on meanwhile.
        "MONETA_QUOTE_AGE_S": "3600",
        "MONETA_MARKET_QUOTE_AGE_S": "3600",
        BEGIN: begin.isoformat(),
        FACTOR: str(HURRY),
    }
    await migrate(servers.database_url)
    async with AsyncExitStack() as stack:
        owner = await asyncpg.connect(servers.database_url)
        stack.push_async_callback(owner.close)
        # Time that hurries is later than the database's own.
        await owner.execute(PRESENT.format("greatest(clock_timestamp(), '2028-01-01Z')"))
        ahead = await stack.enter_async_context(open_application(settings))
        clock = await stack.enter_async_context(hurried_time(ahead.database, begin, HURRY))
        application = await stack.enter_async_context(open_application(settings, clock=clock))
        here = Workers(home, application, environment, owner, await register(application.services))
        try:
            await here.begin()
            yield here
        finally:
            for worker in here.running:
                worker.kill()

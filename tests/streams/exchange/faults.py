"""Cycles: while traders trade, something is killed and comes back; then everything is audited."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from redis.asyncio import Redis

from app.domains.trading.orders.model import fill_stream
from app.domains.trading.orders.services.closing import INBOX_CHANNEL
from app.domains.trading.services import TradingServices
from app.kit.redis_client import open_redis
from tests.streams.deployment import Deployment
from tests.streams.exchange.audit import Stored, audit, is_matched
from tests.streams.exchange.followers import Follower
from tests.streams.exchange.traders import EXPECTED_ERRORS, Clerk, Trader
from tests.streams.processes import Process
from tests.waiting import elapse, now, until

LISTENERS = 2
"""In each worker: what matches, and what sends to exchanges."""
TRADERS = 10
RATE = 50.0
"""Requests a second, of all traders together."""
BEFORE, AFTER = 30, 60
"""Orders that are acknowledged before something is killed, and after matching has gone on."""
LONGEST_PAUSE_S = 0.2
"""Something is killed a random moment after that many orders."""
MATCHED_SINCE = """
SELECT count(*) > 0 FROM orders WHERE created_at > $1 AND (status <> 'pending' OR priority IS NOT NULL)
"""
LEADS = "exchange.active"


class Kill(StrEnum):
    """What is killed."""

    API = "API"
    MATCHER = "worker that matches"
    POSTGRES = "Postgres"
    VALKEY = "Valkey"


@dataclass(frozen=True)
class Cycle:
    """What a cycle found."""

    kill: Kill
    first_match_s: float
    """From the kill until an order was matched that was placed after it."""
    down_s: float
    """Of that, until what was killed ran again; of a matcher, none: another one takes over."""


@dataclass
class Faults:
    """Traders in a deployment with two workers."""

    deployment: Deployment
    standby: Process
    redis: "Redis"
    desk: Clerk
    traders: list[Trader]
    followers: dict[str, Follower] = field(default_factory=dict)
    """By the ID of the portfolio, in the graph."""
    cycles: list[Cycle] = field(default_factory=list)
    fills: int = 0

    def __post_init__(self) -> None:
        self._chance = random.Random(12)

    @property
    def answered(self) -> int:
        """Requests for orders that were answered."""
        return sum(trader.answered for trader in self.traders)

    @property
    def acknowledged(self) -> int:
        """Orders that were."""
        return sum(len(trader.placed) for trader in self.traders)

    async def cycle(self, kill: Kill) -> Cycle:
        """Kills while orders come, waits until matching goes on, and audits what has come of everything."""
        await until(lambda: self.desk.look(self.traders[0].person))
        self.desk.trading.set()
        await self._answered(BEFORE)
        await elapse(self._chance.uniform(0, LONGEST_PAUSE_S))
        done = await self._kill(kill)
        await self._answered(AFTER)
        await self.settle()
        self.cycles.append(done)
        return done

    async def settle(self) -> Stored:
        """Stops trading until everything is answered, matched and heard of, and audits it."""
        self.desk.trading.clear()
        await until(lambda: not any(trader.busy for trader in self.traders))
        async with self.deployment.owner() as owner:
            await until(lambda: is_matched(owner))
            stored = await audit(
                owner,
                {trader.portfolio_id: list(trader.placed.values()) for trader in self.traders},
                [id for trader in self.traders for id in trader.cancelled],
            )
        report = await self.deployment.application.services[TradingServices].books.check()
        assert list(report.findings) == []
        for trader in self.traders:
            await self._followed(self.followers[trader.id], stored.streams[trader.portfolio_id])
        assert set(self.desk.errors) <= EXPECTED_ERRORS, (self.desk.errors, self._defects())
        assert self._defects() == []
        # Whatever was killed, nothing else ended.
        running = (self.deployment.api, self.deployment.worker, self.standby)
        assert all(process.lives for process in running), [process.log.written()[-2000:] for process in running]
        self.fills = stored.fills
        return stored

    def _defects(self) -> list[str]:
        """What any process has logged as an error: outages are none."""
        logs = [path.read_text() for path in self.deployment.home.glob("*.log")]
        return [line for log in logs for line in log.splitlines() if '"level":"error"' in line.replace(" ", "")]

    async def _followed(self, follower: Follower, expected: list[tuple[str, str]]) -> None:
        await until(lambda: len(follower.received) >= len(expected) or not follower.lives)
        assert follower.faults == []
        assert follower.over is None, follower.over
        assert follower.received[: len(expected)] == expected

    async def _answered(self, more: int) -> None:
        goal = self.answered + more
        await until(lambda: self.answered >= goal)

    async def _kill(self, kill: Kill) -> Cycle:
        deployment, servers = self.deployment, self.deployment.servers
        async with deployment.owner() as owner:
            at = await owner.fetchval("SELECT clock_timestamp()")
        killed = now()
        match kill:
            case Kill.API:
                deployment.api.kill()
                await deployment.start_api()
                down_s = now() - killed
                await self._matched_since(at)
            case Kill.MATCHER:
                await self._replace_matcher()
                down_s = 0.0
                await self._matched_since(at)
            case Kill.POSTGRES:
                repeated = self.desk.repeated
                servers.postgres.kill()
                try:
                    await until(lambda: self.desk.repeated > repeated)
                finally:
                    await servers.postgres.restart()
                down_s = now() - killed
                await self._matched_since(at)
            case Kill.VALKEY:
                down_s = await self._without_valkey(at)
        done = Cycle(kill, now() - killed, down_s)
        await self._complete()
        return done

    async def _replace_matcher(self) -> None:
        """Kills the worker that matches; the other one takes over, and a new one stands by."""
        if await self._matcher() is self.deployment.worker:
            self.deployment.worker, self.standby = self.standby, self.deployment.worker
        self.standby.kill()

    async def _without_valkey(self, at: datetime) -> float:
        """Kills Valkey; returns after orders were matched without it, and it is back."""
        valkey, killed = self.deployment.servers.valkey, now()
        valkey.kill()
        try:
            await self._matched_since(at)
        finally:
            if self._chance.random() < 0.5:
                valkey.forget()
            await valkey.restart()
        return now() - killed

    async def _complete(self) -> None:
        """Returns when both workers run, and hear again when there is work."""
        if not self.standby.lives:
            self.standby = self.deployment.spawn("work")
        await until(self._both_listen)
        await self._matcher()

    async def _both_listen(self) -> bool:
        if not self.standby.lives:
            raise self.standby.log.error("The worker did not come up.")
        [(_, count)] = await self.redis.pubsub_numsub(INBOX_CHANNEL)
        return bool(count == 2 * LISTENERS)

    async def _matcher(self) -> Process:
        """The worker that matches."""
        workers = (self.deployment.worker, self.standby)
        await until(lambda: [leads(worker) for worker in workers].count(True) == 1)
        return next(worker for worker in workers if leads(worker))

    async def _matched_since(self, at: datetime) -> None:
        """Returns when an order was matched that was placed after this moment."""
        async with self.deployment.owner() as owner:
            await until(lambda: owner.fetchval(MATCHED_SINCE, at))


def leads(worker: Process) -> bool:
    """Whether the last word of a worker on the exchange is that it matches."""
    words = [line for line in worker.log.written().splitlines() if '"exchange.' in line]
    return bool(words) and LEADS in words[-1]


@asynccontextmanager
async def faults(deployment: Deployment) -> AsyncIterator[Faults]:
    """Traders with portfolios, each of which is followed; nobody trades yet."""
    desk = Clerk(deployment.url)
    people = deployment.people
    traders = [Trader(desk, people[at % len(people)], f"trader {at}", RATE / TRADERS) for at in range(TRADERS)]
    redis = await open_redis(deployment.servers.redis_url)
    here = Faults(deployment, deployment.spawn("work"), redis, desk, traders)
    running = list[asyncio.Task[None]]()
    try:
        # The worker lists tokens and their prices.
        await until(lambda: desk.look(people[0]))
        await asyncio.gather(*(trader.begin() for trader in traders))
        for trader in traders:
            after = await deployment.cursor(0, fill_stream(trader.portfolio_id))
            here.followers[trader.id] = Follower(deployment.url, trader.id, after, token=trader.person.token)
        await here._complete()
        running = [asyncio.create_task(trader.run()) for trader in traders]
        yield here
        await asyncio.gather(*(trader.end() for trader in traders))
        await here.settle()
        await here.standby.stop()
    finally:
        for task in running:
            task.cancel()
        ended = await asyncio.gather(*running, return_exceptions=True)
        await asyncio.gather(*(follower.stop() for follower in here.followers.values()))
        here.standby.kill()
        await desk.http.aclose()
        await redis.aclose()
        for outcome in ended:
            if isinstance(outcome, Exception):
                raise outcome

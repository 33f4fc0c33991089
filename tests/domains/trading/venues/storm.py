"""Orders at an exchange that fails as often as one likes, with workers that are killed: `python -m
tests.domains.trading.venues.storm 1000` plays one at length.
"""

import argparse
import asyncio
import contextlib
import random
import tempfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import asyncpg

from app.dev.embedded import Embedded
from app.domains.trading.exchange.model import TimeInForce
from app.domains.trading.orders.model import OrderChanges
from app.domains.trading.quantities.model import Side
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.errors import Problem
from app.kit.events import EventLog
from app.kit.leadership import LeadershipLost
from app.kit.mail import FolderMailer
from app.kit.migrate import migrate
from app.kit.redis_client import open_redis
from app.main import build_wiring
from tests.conftest import APP_ROLE, settings_for_tests
from tests.databases import NOON, PRESENT
from tests.domains.market.token_listing import list_tokens
from tests.domains.trading.orders.trader import limit, order
from tests.domains.trading.stage import Stage
from tests.domains.trading.venues.stage import ACTIVE, VenueStage, venue_stage
from tests.domains.trading.venues.stub import FAULTS, StubExchange
from tests.factories import cheap_passwords, register
from tests.waiting import now

CHANCE: Final = 0.3
QUIET: Final = tuple(each for each in FAULTS if not each.startswith("silence"))
"""Faults that nobody has to wait for."""
STEPS_FOR_EACH: Final = 20
"""After so many steps for each order there is no end to it."""


class Storm:
    """Places, changes and cancels by chance, while the exchange fails and workers are killed."""

    def __init__(self, live: VenueStage, seed: int, orders: int) -> None:
        self.live = live
        self.random = random.Random(seed)
        self.orders = orders
        self.steps = STEPS_FOR_EACH * orders
        self.ids = list[Any]()
        self.killed = 0
        self.vanishing = 0.1

    async def run(self) -> None:
        """Until everything has ended; then the books are those of the exchange."""
        live = self.live
        while len(self.ids) < self.orders:
            for _ in range(self.random.randint(1, 8)):
                await self._place()
            await self._disturb()
            await self._step()
        self.vanishing = 0.0
        for id in self.ids:
            with contextlib.suppress(Problem):
                await live.stage.trading.orders.cancel(live.stage.alice, id)
        while await live.stage.owner.fetchval(ACTIVE):
            await self._step()
        live.stub.chance = live.stub.fills = 0.0
        await self._revive()

    async def _step(self) -> None:
        self.steps -= 1
        assert self.steps, "there is no end to it"
        if self.random.random() < 0.1:
            await self._kill()
        with contextlib.suppress(LeadershipLost):
            await self.live.venues.step()
        self.live.stage.clock.advance(timedelta(seconds=self.random.choice((1, 3, 20))))
        await self._vanish()
        await self.live.market.tick("100")
        await self.live.market.match()

    async def _vanish(self) -> None:
        """The exchange forgets an order that it has acknowledged. Of one whose reply was lost as well nobody could know
        whose its trades are.
        """
        if self.random.random() >= self.vanishing:
            return
        known = await self.live.stage.owner.fetch(
            "SELECT exchange_order_id FROM venue_orders WHERE state = 'open' ORDER BY exchange_order_id"
        )
        orders = self.live.stub.orders
        opened = [order for row in known if (order := orders.get(int(row[0]))) is not None and order.is_open]
        if opened:
            self.live.stub.vanish(self.random.choice(opened))

    async def _kill(self) -> None:
        """The worker ends in the middle of something, and another takes over; or two do not know of each other."""
        live, old = self.live, self.live.venues
        step = asyncio.create_task(old.step())
        for _ in range(self.random.randint(0, 60)):
            await asyncio.sleep(0)
        live.venues = live.worker()
        await live.venues.lead()
        if self.random.random() < 0.5:
            step.cancel()
        with contextlib.suppress(LeadershipLost, asyncio.CancelledError):
            await step
        await old.close()
        self.killed += 1

    async def _place(self) -> None:
        side = self.random.choice((Side.BUY, Side.BUY, Side.SELL))
        quantity = f"{self.random.randint(1, 50) / 100}"
        if self.random.random() < 0.3:
            new = order(side, quantity)
        else:
            price = f"{100 + self.random.randint(-30, 30) / 10}"
            terms: dict[str, Any] = {}
            if self.random.random() < 0.2:
                terms["time_in_force"] = TimeInForce.IMMEDIATE_OR_CANCEL
            new = limit(side, quantity, price, **terms)
        with contextlib.suppress(Problem):
            self.ids.append(await self.live.place(new))

    async def _disturb(self) -> None:
        orders, alice = self.live.stage.trading.orders, self.live.stage.alice
        recent = self.ids[-20:]
        for id in self.random.sample(recent, min(2, len(recent))):
            with contextlib.suppress(Problem):
                if self.random.random() < 0.3:
                    await orders.cancel(alice, id)
                else:
                    changes = OrderChanges(quantity=Decimal(self.random.randint(10, 60)) / 100)
                    await orders.replace(alice, id, changes, self.live.stage.key)

    async def _revive(self) -> None:
        """What was given up and is there after all is found by a comparison, and ended."""
        live = self.live
        await live.reconcile()
        await live.until_ended()

    async def check(self) -> None:
        """Raises AssertionError."""
        live, owner = self.live, self.live.stage.owner
        await live.check()
        open_orders = await owner.fetchval("SELECT count(*) FROM orders WHERE status IN ('pending', 'partial')")
        assert open_orders == 0
        assert sum(live.stub.locked.values()) == 0
        settled = await owner.fetch("SELECT trade_id FROM venue_trades")
        assert {row[0] for row in settled} == {str(each["id"]) for each in live.stub.trades}
        filled = {row["id"].hex: row["filled_quantity"] for row in await live.sent()}
        for each in live.stub.orders.values():
            assert filled[each.client_id] == each.filled, each


async def main(orders: int, seed: int, faults: tuple[str, ...] = FAULTS) -> None:
    """Plays a storm against servers of its own."""
    begun_s = now()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with Embedded.start(home / "home", durable=False) as servers:
            await migrate(servers.database_url)
            owner = await asyncpg.connect(servers.database_url)
            await owner.execute(f"SELECT maintain_partitions('{NOON.isoformat()}')")
            await owner.execute(PRESENT.format("greatest(clock_timestamp(), '2028-01-01Z')"))
            database = await Database.open(servers.database_url, role=APP_ROLE, size=8, timeout_s=60)
            redis, clock, passwords = await open_redis(servers.redis_url), FixedClock(NOON), cheap_passwords()
            events = EventLog(database, redis)
            settings, mailer = settings_for_tests(home), FolderMailer(home / "outbox", clock)
            wiring = build_wiring(settings, database, redis, clock, events, mailer, passwords)
            await list_tokens(owner)
            alice = await register(wiring.services)
            bob = await register(wiring.services, "bob@example.com")
            stage = Stage(wiring.services, database, owner, clock, alice, bob)
            await stage.quote()
            async with StubExchange(seed=seed, faults=faults).serving() as stub:
                live = await venue_stage(stage, stub, timeout_ms=250)
                await live.open()
                stub.chance, stub.fills, stub.skew_ms = CHANCE, 0.3, 4000
                storm = Storm(live, seed, orders)
                await storm.run()
                await storm.check()
                await live.venues.close()
            print(
                f"{len(storm.ids)} orders, {sum(stub.taken.values())} taken on, {len(stub.trades)} trades,"
                f" {storm.killed} workers killed, {sum(stub.calls.values())} requests of which {stub.faulty} failed,"
                f" {now() - begun_s:.0f} s: the books are those of the exchange, nothing was sent twice"
            )
            await database.close()
            await redis.aclose()
            await owner.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("orders", type=int, nargs="?", default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="without requests that are never answered")
    given = parser.parse_args()
    asyncio.run(main(given.orders, given.seed, QUIET if given.quick else FAULTS))

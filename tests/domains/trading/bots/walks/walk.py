"""A random walk: what users, candles, workers and the exchange do with bots, step by step over Postgres."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final
from uuid import UUID

import msgspec

from app.domains.market.prices.model import Interval
from app.domains.trading.bots.model import BotStatus
from app.domains.trading.bots.rules.deciding import last_close
from app.domains.trading.exchange.model import OrderType
from app.domains.trading.orders.model import NewOrder
from app.domains.trading.quantities.model import Side
from app.kit.errors import Problem
from tests.domains.trading.bots.robots import MINUTE, Robots
from tests.domains.trading.bots.walks.crashes import Crashes, Killed, Stall
from tests.domains.trading.bots.walks.laws import BARE, broken
from tests.domains.trading.bots.walks.user import ENTRIES, MOST_BOTS, WalkingUser

SYMBOLS: Final = ("BTC", "ETH")
KILLED: Final = 0.12
"""The part of the steps in which a process is killed."""
INTRUDED: Final = 0.25
"""The part of the runs that somebody comes between."""
STATEMENTS: Final = (3, 10, 40)
"""It is killed within so many statements."""
JOBS: Final = "SELECT id, payload FROM pgqueuer WHERE entrypoint = 'trading.run_bots' ORDER BY id"
STATES: Final = """
SELECT s.bot_id, s.symbol, s.decided_at, s.state ->> 'levels' AS levels, b.started_at
FROM bot_states s JOIN trading_bots b ON b.id = s.bot_id
"""
IS_OPEN: Final = """
SELECT NOT EXISTS (SELECT FROM trading_halts) AND bool_and(quoted_at > $1) FROM exchange_books
"""
Act = Callable[[], Awaitable[None]]


class Walk:
    """Each step may be killed at any statement; what is in memory is then read anew. Each step is checked."""

    def __init__(self, robots: Robots, crashes: Crashes, seed: int) -> None:
        self.robots = robots
        self.crashes = crashes
        self.met = Counter[str]()
        """How often what was done: to see what a walk has met."""
        self.chance = Random(seed)
        self._stage = robots.stage
        self._trading = robots.stage.trading
        self.user = WalkingUser(robots, self.chance)
        self._prices = {"BTC": Decimal(100), "ETH": Decimal(10)}
        self._is_new = False
        self._stalled = list[Stall]()
        """Workers that have read what a job is about, and have not acted on it yet."""
        self._undecided = set[UUID]()
        self._steps: list[tuple[int, Act]] = [
            (12, self._run),
            (24, self._candle),
            (20, self._match),
            (8, self._tick),
            (3, self.user.cancel_all),
            (5, self.user.cancel_one),
            (3, self.user.change_one),
            (2, self.user.buy),
            (2, self.user.sell),
            (4, self.user.create),
            (8, self.user.start),
            (2, self.user.pause),
            (1, lambda: self.user.stop(sell=False)),
            (2, lambda: self.user.stop(sell=True)),
            (1, self.user.delete),
            (2, self.user.update),
            (1, self.user.reset),
            (1, self.user.halt),
            (4, self.user.resume),
            (2, self._lead),
            (5, self._stall),
            (6, self._go_on),
        ]

    async def begin(self) -> None:
        """A second portfolio, coins in the first that are no bot's, and bots."""
        self.user.portfolios.append(await self._stage.create())
        await self.robots.candle("10", "ETH")
        for symbol in SYMBOLS:
            new = NewOrder(symbol=symbol, side=Side.BUY, type=OrderType.MARKET, quote_amount=Decimal(2000))
            await self._trading.orders.place(self._stage.alice, self.user.portfolios[0], new, self._stage.key)
        await self._match()
        for _ in range(MOST_BOTS):
            await self.user.create()

    async def step(self) -> None:
        """Something happens, and everything holds."""
        act = self._next()
        if self.chance.random() < KILLED:
            self.crashes.kill_after(self.chance.randrange(self.chance.choice(STATEMENTS)))
        self.user.laid_anew.clear()
        self._undecided.clear()
        before, kills = await self._decided_at(), self.crashes.kills
        try:
            await act()
        except Killed:
            pass
        except Problem as problem:
            self.met[f"refused: {type(problem).__name__}"] += 1
        self.crashes.forget()
        if self.crashes.kills > kills:
            self.met["killed"] += 1
            await self._lead()
        await self._check(before)

    def _next(self) -> Act:
        [(_, act)] = self.chance.choices(self._steps, [weight for weight, _ in self._steps])
        if self._is_new and self.chance.random() < 0.6:
            # A candle has ended, and nobody has taken its job yet.
            act = self.chance.choice([self._run, self._run, self._run, self._stall])
        self._is_new = False
        return act

    async def end(self) -> None:
        """Everything is matched, and the books agree."""
        while self._stalled:
            await self._go_on()
        await self.user.resume()
        await self._match()
        assert await broken(self._stage.owner) == []
        await self.robots.market.check()

    async def _check(self, before: dict[tuple[UUID, str], Any]) -> None:
        owner = self._stage.owner
        found = await broken(owner)
        assert found == [], found
        after = await self._decided_at()
        for key, now in after.items():
            was = before.get(key)
            if was is None or was["decided_at"] != now["decided_at"]:
                assert now["decided_at"] >= now["started_at"], "a candle is made up for"
            if was is not None:
                assert now["decided_at"] >= was["decided_at"], "a decision goes back"
                assert key[0] in self.user.laid_anew or was["levels"] in {None, now["levels"]}, (
                    "a grid keeps its levels"
                )
        for row in await owner.fetch(ENTRIES):
            if row["status"] == BotStatus.ACTIVE:
                self.user.resting.pop(row["id"], None)
            else:
                assert self.user.resting.setdefault(row["id"], row["entries"]) == row["entries"], "it buys at rest"
        if self._undecided:
            decided = [key for key in after if key[0] in self._undecided and before.get(key) != after[key]]
            bots, symbols = [key[0] for key in decided], [key[1] for key in decided]
            assert await owner.fetch(BARE, bots, symbols) == [], "what is bought is protected by the next candle"

    async def _decided_at(self) -> dict[tuple[UUID, str], Any]:
        rows = await self._stage.owner.fetch(STATES)
        return {(row["bot_id"], row["symbol"]): row for row in rows}

    # What happens.

    async def _candle(self) -> None:
        """A minute ends; its prices are in the inbox, and its candles are stored."""
        clock, owner = self._stage.clock, self._stage.owner
        ended_at = last_close(Interval.ONE_MINUTE, clock.now()) + MINUTE
        clock.advance(ended_at + timedelta(seconds=1) - clock.now())
        for symbol in SYMBOLS:
            await self._tick_of(symbol)
            await owner.execute(
                "INSERT INTO candles (symbol, exchange, interval, opened_at, open, high, low, close, volume_usd)"
                " VALUES ($1, 'simulated', '1m', $2, $3, $3, $3, $3, 1000)",
                symbol,
                ended_at - MINUTE,
                self._prices[symbol],
            )
        if self.chance.random() < 0.85:
            await self._match()
        await self._trading.bot_runner.enqueue(ended_at)
        self._is_new = True

    async def _tick(self) -> None:
        await self._tick_of(self.chance.choice(SYMBOLS))

    async def _tick_of(self, symbol: str) -> None:
        base = {"BTC": 100, "ETH": 10}[symbol]
        moved = self._prices[symbol] * Decimal(self.chance.randint(955, 1045)) / 1000
        # Back towards where it began, so that a walk of any length is about the same prices.
        self._prices[symbol] = round((moved * 9 + base) / 10, 4)
        await self.robots.market.tick(f"{self._prices[symbol]:f}", symbol)

    async def _match(self) -> None:
        self.met["fills"] += await self.robots.market.match()

    async def _lead(self) -> None:
        """Another process matches from now on: its books are what is stored."""
        await self._trading.matcher.lead()

    async def _run(self) -> None:
        """Workers take jobs: some late, some at once, some again."""
        owner, chance, runner = self._stage.owner, self.chance, self._trading.bot_runner
        if chance.random() < 0.2:
            await runner.enqueue_due()
        jobs = await owner.fetch(JOBS)
        if not jobs:
            return
        job = jobs[-1] if chance.random() < 0.8 else chance.choice(jobs)
        payload = msgspec.json.decode(job["payload"])
        workers, kills = chance.choice([1, 1, 1, 2, 3]), self.crashes.kills
        # Somebody comes between two transactions, or at the same time: then Postgres decides who is first.
        rivals = [chance.choice([self.user.pause, self.user.delete])] if chance.random() < 0.15 else []
        intruded = bool(rivals) or self._maybe_intrude()
        running = [runner.run(payload) for _ in range(workers)]
        outcomes = await asyncio.gather(*running, *(rival() for rival in rivals), return_exceptions=True)
        self.met[f"{workers} workers"] += 1
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        if not intruded and self.crashes.kills == kills and await self._is_open():
            self._undecided.update(map(UUID, payload["bots"]))
        if chance.random() < 0.8:
            await owner.execute("DELETE FROM pgqueuer WHERE id = $1", job["id"])

    async def _stall(self) -> None:
        """A worker takes a job, and stands still before one of its transactions."""
        jobs = await self._stage.owner.fetch(JOBS)
        if jobs and len(self._stalled) < 3:
            payload = msgspec.json.decode(jobs[-1]["payload"])
            # After the two that read.
            stall = Stall(lambda: self._trading.bot_runner.run(payload), self.chance.randint(2, 4))
            if await stall.begin():
                self.met["stalled"] += 1
                self._stalled.append(stall)
            else:
                await stall.end()

    async def _go_on(self) -> None:
        if self._stalled:
            await self._stalled.pop(self.chance.randrange(len(self._stalled))).end()

    def _maybe_intrude(self) -> bool:
        if self.chance.random() >= INTRUDED:
            return False
        intruders: list[Act] = [
            self.user.pause,
            self._match,
            self.user.cancel_all,
            self.user.delete,
            self.user.reset,
            self._again,
        ]
        act = self.chance.choice([*intruders, lambda: self.user.stop(sell=True), self._candle])

        async def intrude() -> None:
            try:
                await act()
            except Problem as problem:
                self.met[f"refused: {type(problem).__name__}"] += 1

        self.crashes.intrude_after(self.chance.randrange(8), intrude)
        return True

    async def _again(self) -> None:
        """Another worker does the same job, and is done first."""
        for job in await self._stage.owner.fetch(JOBS):
            await self._trading.bot_runner.run(msgspec.json.decode(job["payload"]))

    async def _is_open(self) -> bool:
        """Whether the exchange takes orders on: nothing is halted, and its prices are new."""
        since = self._stage.clock.now() - MINUTE
        return bool(await self._stage.owner.fetchval(IS_OPEN, since))

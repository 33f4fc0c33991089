"""Random walks of bots in memory: users, candles, workers, and traders who have nothing to do with them."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from decimal import Decimal
from random import Random
from typing import Any, Final
from uuid import UUID, uuid4

from msgspec.structs import replace

from app.dev.soak import draws
from app.dev.soak.model import BASES, Broken, Close, Pause, Replace, Resume, Step, id_of
from app.domains.accounts.model import Role, Viewer
from app.domains.market.prices.model import Interval
from app.domains.trading.bots.model import BotStatus
from app.domains.trading.bots.rules.deciding import last_close
from app.domains.trading.bots.services.runner import FAILED
from app.domains.trading.quantities.rules import moment_of
from app.domains.trading.strategies.model import Config, Dca, Grid, Momentum, RiskLevel, stored_config
from app.kit.errors import Problem
from tests.databases import NOON
from tests.domains.trading.bots.memory.laws import BotLaws
from tests.domains.trading.bots.memory.store import BotRow
from tests.domains.trading.bots.memory.world import BotWorld
from tests.domains.trading.bots.walks.crashes import Killed, Stall
from tests.factories import CLIENT

LENGTH: Final = 400
"""Steps of one walk."""
MOST_BOTS: Final = 8
KILLED: Final = 0.12
INTRUDED: Final = 0.25
STATEMENTS: Final = (3, 10, 40)
MINUTE_MS: Final = 60_000

Act = Callable[[], Awaitable[None]]


class MemoryWalk:
    """Each step may be killed at any statement, and is checked."""

    def __init__(self, seed: str) -> None:
        self.chance = Random(seed)
        self.met = Counter[str]()
        self.world = BotWorld()
        self._laws = BotLaws(self.world)
        self._number = 1
        self._is_new = False
        self._stalled = list[Stall]()
        self._late: list[dict[str, Any]] = []
        self._resting = dict[UUID, int]()
        self._clean = set[UUID]()
        self._steps: list[tuple[int, Act]] = [
            (14, self._run),
            (22, self._candle),
            (22, self._others),
            (6, self._match),
            (8, self._cancel_of_bot),
            (4, self._create),
            (8, self._start),
            (2, self._pause),
            (1, lambda: self._stop(sell=False)),
            (2, lambda: self._stop(sell=True)),
            (1, self._delete),
            (1, self._close),
            (1, self._halt),
            (8, self._resume),
            (2, self._restart),
            (5, self._stall),
            (6, self._go_on),
        ]

    async def run(self, steps: int) -> None:
        """So many steps, and everything is checked at the end. Raises Broken."""
        for _ in range(MOST_BOTS):
            await self._create()
        for _ in range(steps):
            await self.step()
        while self._stalled:
            await self._go_on()
        self.world.audit()
        self._laws.everything()
        self.met.update(f"{each.type} {each.status}" for each in self.world.rows.signals.values())
        self.met.update(
            f"{row.bracket_role} {row.type} {row.status}"
            for row in self.world.books.orders.values()
            if row.bot_id is not None
        )

    async def step(self) -> None:
        """Something happens, and everything that it touched holds."""
        rows, crashes = self.world.rows, self.world.crashes
        states = dict(rows.states)
        rows.touched.clear()
        act, kills = self._next(), crashes.kills
        if self.chance.random() < KILLED:
            crashes.kill_after(self.chance.randrange(self.chance.choice(STATEMENTS)))
        self._clean.clear()
        try:
            await act()
        except Killed:
            pass
        except Problem as problem:
            self.met[f"refused: {type(problem).__name__}"] += 1
        crashes.forget()
        if crashes.kills > kills:
            self.met["killed"] += 1
            self.world.restart()
        self._laws.touched(rows.touched)
        self._check_states(states)
        self._check_rest()

    def _check_states(self, before: dict[tuple[UUID, str], Any]) -> None:
        decided = list[tuple[UUID, str]]()
        for key, now in self.world.rows.states.items():
            was = before.get(key)
            if was is now:
                continue
            started_at = self.world.rows.bots[key[0]].started_at
            if started_at is None or now.decided_at < started_at or (was and now.decided_at <= was.decided_at):
                raise Broken("a bot decides on candles that end while it is active, in their order", was=was, now=now)
            if was and was.state and "levels" in was.state and was.state["levels"] != (now.state or {}).get("levels"):
                raise Broken("a grid keeps its levels", was=was, now=now)
            decided.append(key)
        if bare := self._laws.bare(key for key in decided if key[0] in self._clean):
            raise Broken("what is bought is protected by the next candle", bare=bare)

    def _check_rest(self) -> None:
        rows = self.world.rows
        for id, bot in rows.bots.items():
            if bot.status_reason == FAILED:
                raise Broken("a strategy decides, and what it decides is done", bot=bot)
            if bot.status is BotStatus.ACTIVE:
                self._resting.pop(id, None)
            else:
                count = len(rows.entries_of.get(id, ()))
                if self._resting.setdefault(id, count) != count:
                    raise Broken("a bot that is not active buys nothing", bot=bot)

    def _next(self) -> Act:
        [(_, act)] = self.chance.choices(self._steps, [weight for weight, _ in self._steps])
        if self._is_new and self.chance.random() < 0.6:
            act = self.chance.choice([self._run, self._run, self._run, self._stall])
        self._is_new = False
        return act

    # What happens.

    async def _create(self) -> None:
        chance, rows = self.chance, self.world.rows
        if len(self._mine) >= MOST_BOTS:
            return
        portfolio = chance.choice(self.world.portfolios)
        bot = BotRow(
            id=uuid4(),
            user_id=portfolio.owner,
            portfolio_id=portfolio.id,
            config=stored_config(self._strategy()),
            target_symbols=chance.choice([["BTC"], ["ETH"], ["BTC", "DOGE"]]),
            risk_level=chance.choice(list(RiskLevel)),
            max_position_size=Decimal(chance.choice([300, 1000])),
            stop_loss_percentage=Decimal(chance.randint(2, 9)),
            take_profit_percentage=Decimal(chance.randint(2, 9)),
            daily_loss_limit=chance.choice([None, None, Decimal(20)]),
            cool_down_ms=chance.choice([0, 0, 90_000]),
        )
        rows.bots[bot.id] = bot
        await self.world.bots.start(_viewer(bot), bot.id)

    def _strategy(self) -> Config:
        chance = self.chance
        grid = Grid(levels=chance.randint(3, 8), range_percentage=Decimal(chance.randint(3, 12)))
        dca = Dca(amount_usd=Decimal(chance.randint(20, 80)), every_candles=chance.randint(1, 3))
        # What these decide is drawn.
        # One half of all bots.
        momentum, other = Momentum(period=chance.randint(2, 99)), chance.random()
        if other < 0.5:
            return momentum
        return grid if other < 0.75 else dca

    @property
    def _mine(self) -> list[BotRow]:
        """The bots that have a user, and were not stopped by an error."""
        bots = self.world.rows.bots.values()
        return [bot for bot in bots if bot.user_id is not None and bot.status is not BotStatus.ERROR]

    async def _of_bot(self, act: Callable[[Viewer, UUID], Awaitable[Any]]) -> None:
        if self._mine:
            bot = self.chance.choice(self._mine)
            await act(_viewer(bot), bot.id)

    async def _start(self) -> None:
        await self._of_bot(self.world.bots.start)

    async def _pause(self) -> None:
        await self._of_bot(self.world.bots.pause)
        self._check_rest()

    async def _stop(self, *, sell: bool) -> None:
        await self._of_bot(lambda viewer, id: self.world.bots.stop(viewer, id, sell=sell))
        self._check_rest()

    async def _delete(self) -> None:
        await self._of_bot(self.world.bots.delete)
        self._check_rest()

    async def _candle(self) -> None:
        world, chance = self.world, self.chance
        after = MINUTE_MS - world.now % MINUTE_MS + 1_000
        world.do(Step(Pause(), after, is_matched=False))
        moves = {symbol: chance.randint(-450, 450) for symbol in BASES}
        world.do(Step(world.candle(moves), 0, is_matched=chance.random() < 0.85))
        world.note_candles()
        ids = [str(bot.id) for bot in self._mine]
        closed_at = last_close(Interval.ONE_MINUTE, moment_of(world.now)).isoformat()
        self._late = [*self._late[-2:], {"interval": "1m", "closed_at": closed_at, "bots": ids}]
        self._is_new = True

    async def _match(self) -> None:
        self.world.do(Step(Pause(), 200))

    async def _others(self) -> None:
        """Somebody else trades, or one of the tokens moves."""
        self._number += 3
        random, world = self.chance, self.world
        draw = random.choices((draws.place, draws.cancel, draws.replace, draws.tick), (8, 2, 2, 12))[0]
        action = draw(random, world, self._number)
        if isinstance(action, Replace) and world.books.orders[id_of(action.number)].bot_id is not None:
            # The quantity of what a bot sells is not changed.
            action = replace(action, quantity=None)
        world.do(Step(action, random.choice((0, 200)), random.random() < 0.8))

    async def _cancel_of_bot(self) -> None:
        opened = [id for each in self.world.books.open.values() for id in each]
        of_bots = [id for id in opened if self.world.books.orders[id].bot_id is not None]
        for id in of_bots if self.chance.random() < 0.2 else self.chance.sample(of_bots, min(1, len(of_bots))):
            self.world.orders.cancel(id)

    async def _close(self) -> None:
        self.world.do(Step(Close(self.chance.randrange(len(self.world.portfolios)), self.chance.random() < 0.3)))

    async def _halt(self) -> None:
        if self.chance.random() < 0.5:
            self.world.do(Step(draws.halt(self.chance, self.world, 0)))
        else:
            self.world.orders.halted.add(self.chance.choice(self.world.portfolios).owner)

    async def _resume(self) -> None:
        self.world.orders.halted.clear()
        for symbol in (None, *sorted(self.world.venue.halted_alone)):
            self.world.do(Step(Resume(symbol)))

    async def _restart(self) -> None:
        self.world.restart()

    async def _run(self) -> None:
        """Workers take the newest job or a late one: one, or several at once."""
        if not self._late:
            return
        chance, crashes = self.chance, self.world.crashes
        job = self._late[-1] if chance.random() < 0.9 else chance.choice(self._late)
        intruded, kills, is_open = self._maybe_intrude(), crashes.kills, self._is_open()
        workers = chance.choice([1, 1, 1, 2, 3])
        outcomes = await asyncio.gather(*(self.world.runner.run(job) for _ in range(workers)), return_exceptions=True)
        self.met[f"{workers} workers"] += 1
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        if is_open and not intruded and crashes.kills == kills:
            self._clean.update(map(UUID, job["bots"]))

    def _is_open(self) -> bool:
        """Whether the exchange takes all orders on, and has matched all that it was asked."""
        venue, now = self.world.venue, self.world.now
        is_new = all(symbol in venue.prices and now - venue.prices[symbol].quote.at < MINUTE_MS for symbol in BASES)
        return is_new and not (venue.is_halted or venue.halted_alone or self.world.orders.halted)

    def _maybe_intrude(self) -> bool:
        if self.chance.random() >= INTRUDED:
            return False
        intruders: list[Act] = [self._pause, self._match, self._cancel_of_bot, self._delete, self._close, self._again]
        act = self.chance.choice([*intruders, lambda: self._stop(sell=True), self._candle])

        async def intrude() -> None:
            try:
                await act()
            except Problem as problem:
                self.met[f"refused: {type(problem).__name__}"] += 1

        self.met["intruded"] += 1
        self.world.crashes.intrude_after(self.chance.randrange(8), intrude)
        return True

    async def _again(self) -> None:
        for job in self._late:
            await self.world.runner.run(job)

    async def _stall(self) -> None:
        if not self._late or len(self._stalled) >= 3:
            return
        job = self._late[-1]
        stall = Stall(lambda: self.world.runner.run(job), self.chance.randint(1, 3))
        if await stall.begin():
            self.met["stalled"] += 1
            self._stalled.append(stall)
        else:
            await stall.end()

    async def _go_on(self) -> None:
        if self._stalled:
            await self._stalled.pop(self.chance.randrange(len(self._stalled))).end()


async def walks(steps: int, seed: int, report: Callable[[int], None] = lambda done: None) -> Counter[str]:
    """So many steps, in walks of LENGTH; returns what they have met. Raises Broken, with the name of the walk."""
    met = Counter[str]()
    for begin in range(0, steps, LENGTH):
        name = f"{seed}:{begin // LENGTH}"
        walk = MemoryWalk(name)
        try:
            await walk.run(min(LENGTH, steps - begin))
        except Broken as broken:
            broken.add_note(f"in the walk {name}")
            raise
        met += walk.met
        report(begin + LENGTH)
    return met


def _viewer(bot: BotRow) -> Viewer:
    assert bot.user_id is not None
    return Viewer(bot.user_id, bot.user_id, Role.USER, True, NOON, CLIENT)

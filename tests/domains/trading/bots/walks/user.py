"""What a user does with bots and their orders in a random walk."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from random import Random
from typing import Any, Final
from uuid import UUID

from app.domains.trading.bots.model import BotChanges, BotLimitReached, BotStatus
from app.domains.trading.exchange.model import OrderType
from app.domains.trading.orders.model import NewOrder, OrderChanges
from app.domains.trading.quantities.model import Side
from app.domains.trading.strategies.model import Config, Dca, Grid, Momentum, RiskLevel
from tests.domains.trading.bots.robots import Robots

MOST_BOTS: Final = 8
ENTRIES: Final = """
SELECT b.id, b.status, count(e.id) AS entries
FROM trading_bots b LEFT JOIN bot_entries e ON e.bot_id = b.id GROUP BY b.id
"""


class WalkingUser:
    """Everything is drawn: which bot, which order, and which terms."""

    def __init__(self, robots: Robots, chance: Random) -> None:
        self.portfolios = [robots.portfolio_id]
        self.resting = dict[UUID, int]()
        """How many entries each bot has that is not active: it buys none."""
        self.laid_anew = set[UUID]()
        """Bots that were given another strategy in this step."""
        self._robots = robots
        self._chance = chance
        self._stage = robots.stage
        self._trading = robots.stage.trading
        self._bots = list[UUID]()

    async def create(self) -> None:
        if len(self._bots) >= MOST_BOTS:
            return
        chance = self._chance
        given: dict[str, Any] = {
            "portfolio_id": chance.choice(self.portfolios),
            "target_symbols": chance.choice([["BTC"], ["ETH"], ["BTC", "ETH"]]),
            "risk_level": chance.choice(list(RiskLevel)),
            "max_position_usd": Decimal(chance.choice([300, 1000])),
            "stop_loss_percentage": Decimal(chance.randint(2, 9)),
            "take_profit_percentage": Decimal(chance.randint(2, 9)),
            "cool_down_ms": chance.choice([0, 0, 90_000]),
            "daily_loss_limit_usd": chance.choice([None, None, Decimal(20)]),
        }
        try:
            id = await self._robots.create(self._strategy(), paused=True, **given)
        except BotLimitReached:
            self._bots.pop(0)
            return
        self._bots.append(id)
        await self._trading.bots.start(self._stage.alice, id)

    def _strategy(self) -> Config:
        chance = self._chance
        strategies: list[Config] = [
            Dca(amount_usd=Decimal(chance.randint(20, 80)), every_candles=chance.randint(1, 3)),
            Grid(levels=chance.randint(3, 8), range_percentage=Decimal(chance.randint(3, 12))),
            # What these decide is drawn.
            Momentum(period=2 + len(self._bots)),
            Momentum(period=20 + len(self._bots)),
        ]
        return chance.choice(strategies)

    async def _of_bot(self, act: Callable[[UUID], Awaitable[Any]]) -> UUID | None:
        if not self._bots:
            return None
        id = self._chance.choice(self._bots)
        await act(id)
        return id

    async def start(self) -> None:
        await self._of_bot(lambda id: self._trading.bots.start(self._stage.alice, id))

    async def pause(self) -> None:
        await self._of_bot(lambda id: self._trading.bots.pause(self._stage.alice, id))
        await self._note_rest()

    async def stop(self, *, sell: bool) -> None:
        await self._of_bot(lambda id: self._trading.bots.stop(self._stage.alice, id, sell=sell))
        await self._note_rest()

    async def delete(self) -> None:
        id = await self._of_bot(lambda id: self._trading.bots.delete(self._stage.alice, id))
        await self._note_rest()
        if id is not None:
            self._bots.remove(id)

    async def _note_rest(self) -> None:
        """At once: what is bought after this is too late."""
        for row in await self._stage.owner.fetch(ENTRIES):
            if row["status"] != BotStatus.ACTIVE:
                self.resting.setdefault(row["id"], row["entries"])

    async def update(self) -> None:
        id = self._chance.choice(self._bots) if self._bots else None
        if id is not None:
            self.laid_anew.add(id)
            await self._trading.bots.update(self._stage.alice, id, BotChanges(strategy=self._strategy()))

    async def cancel_all(self) -> None:
        await self._trading.orders.cancel_all(self._stage.alice, self._chance.choice(self.portfolios), None)

    async def change_one(self) -> None:
        """The user moves an exit of a bot, or asks for another quantity."""
        rows = await self._stage.owner.fetch(
            "SELECT id, price, stop_price FROM orders"
            " WHERE bot_id IS NOT NULL AND side = 'sell' AND status IN ('pending', 'partial') ORDER BY id"
        )
        if not rows:
            return
        row = self._chance.choice(rows)
        changes = OrderChanges(quantity=Decimal(1))
        for name in ("price", "stop_price"):
            if row[name] is not None and self._chance.random() < 0.8:
                changes = OrderChanges(**{name: round(row[name] * self._chance.randint(97, 103) / 100, 2)})
        await self._trading.orders.replace(self._stage.alice, row["id"], changes, self._stage.key)

    async def cancel_one(self) -> None:
        rows = await self._stage.owner.fetch(
            "SELECT id FROM orders WHERE bot_id IS NOT NULL AND status IN ('pending', 'partial') ORDER BY id"
        )
        if rows:
            await self._trading.orders.cancel(self._stage.alice, self._chance.choice(rows)["id"])

    async def buy(self) -> None:
        """Coins that are no bot's."""
        symbol, portfolio_id = self._chance.choice(["BTC", "ETH"]), self._chance.choice(self.portfolios)
        new = NewOrder(symbol=symbol, side=Side.BUY, type=OrderType.MARKET, quote_amount=Decimal(500))
        await self._trading.orders.place(self._stage.alice, portfolio_id, new, self._stage.key)

    async def sell(self) -> None:
        rows = await self._stage.owner.fetch(
            "SELECT portfolio_id, symbol, quantity - reserved AS free FROM positions WHERE quantity > reserved"
            " ORDER BY portfolio_id, symbol"
        )
        if rows:
            row = self._chance.choice(rows)
            new = NewOrder(symbol=row["symbol"], side=Side.SELL, type=OrderType.MARKET, quantity=row["free"])
            await self._trading.orders.place(self._stage.alice, row["portfolio_id"], new, self._stage.key)

    async def reset(self) -> None:
        await self._trading.portfolios.reset(self._stage.alice, self._chance.choice(self.portfolios), self._stage.key)

    async def halt(self) -> None:
        await self._trading.halts.halt_own(self._stage.alice)

    async def resume(self) -> None:
        await self._trading.halts.resume_own(self._stage.alice)

"""Bots of Alice, and candles that the tests say."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.domains.accounts.model import Viewer
from app.domains.market.prices.model import Interval
from app.domains.trading.bots import loaders
from app.domains.trading.bots.model import Bot, BotPerformance, NewBot
from app.domains.trading.bots.rules.deciding import last_close
from app.domains.trading.strategies.model import Config, Dca
from app.kit.reads import Reads
from tests.domains.trading.matching.market import Market
from tests.domains.trading.stage import Stage

MINUTE = timedelta(minutes=1)


@dataclass
class Robots:
    """A portfolio of Alice, the market, and its candles of a minute."""

    stage: Stage
    market: Market
    portfolio_id: UUID
    prices: dict[str, str] = field(default_factory=lambda: {"BTC": "100"})

    async def create(self, strategy: Config | None = None, by: Viewer | None = None, **given: Any) -> UUID:
        """A bot that is started; `paused`: one that is not."""
        paused = given.pop("paused", False)
        new: dict[str, Any] = {"portfolio_id": self.portfolio_id, "name": "A bot", "target_symbols": ["BTC"]}
        new |= {"interval": Interval.ONE_MINUTE, "ai_model": None} | given
        viewer = by or self.stage.alice
        bot = NewBot(strategy=strategy or Dca(amount_usd=Decimal(100), every_candles=3), **new)
        id = await self.stage.trading.bots.create(viewer, bot, self.stage.key)
        if not paused:
            await self.stage.trading.bots.start(viewer, id)
        return id

    async def candle(self, price: str | None = None, symbol: str = "BTC", *, matched: bool = True) -> datetime:
        """A minute goes by at a price, and its candle is stored. Returns its end."""
        clock = self.stage.clock
        ended_at = last_close(Interval.ONE_MINUTE, clock.now()) + MINUTE
        clock.advance(ended_at + timedelta(seconds=1) - clock.now())
        self.prices[symbol] = price or self.prices[symbol]
        await self.market.tick(self.prices[symbol], symbol)
        if matched:
            await self.market.match()
        await self.stage.owner.execute(
            "INSERT INTO candles (symbol, exchange, interval, opened_at, open, high, low, close, volume_usd)"
            " VALUES ($1, 'simulated', '1m', $2, $3, $3, $3, $3, 1000)",
            symbol,
            ended_at - MINUTE,
            Decimal(self.prices[symbol]),
        )
        return ended_at

    async def run(self, *ids: UUID, closed_at: datetime | None = None) -> None:
        """The bots decide on the last candle, and their orders are matched."""
        await self.stage.trading.bot_runner.run(self.job(*ids, closed_at=closed_at))
        await self.market.match()

    def job(self, *ids: UUID, closed_at: datetime | None = None) -> dict[str, Any]:
        """What a worker is given at the end of the last candle."""
        ended_at = closed_at or last_close(Interval.ONE_MINUTE, self.stage.clock.now())
        return {"interval": "1m", "closed_at": ended_at.isoformat(), "bots": [str(id) for id in ids]}

    async def next(self, id: UUID, price: str | None = None) -> None:
        """A candle ends, and the bot decides on it."""
        await self.candle(price)
        await self.run(id)

    async def bot(self, id: UUID, by: Viewer | None = None) -> Bot | None:
        found: Bot | None = await self._read(loaders.bot_by_id, id, by)
        return found

    async def performance(self, id: UUID) -> BotPerformance:
        found: BotPerformance | None = await self._read(loaders.performance_by_bot, id)
        assert found is not None
        return found

    async def _read(self, loader: Any, id: UUID, by: Viewer | None = None) -> Any:
        reads = Reads(self.stage.database, (by or self.stage.alice).scope)
        try:
            return await reads.one(loader, id)
        finally:
            await reads.aclose()

    async def signals(self, id: UUID) -> list[tuple[Any, ...]]:
        """Type, status and reason of the status of each signal, in order."""
        rows = await self.stage.owner.fetch(
            "SELECT signal_type, execution_status, status_reason FROM trading_signals WHERE bot_id = $1"
            " ORDER BY created_at, id",
            id,
        )
        return [tuple(row) for row in rows]

    async def entries(self, id: UUID) -> list[Any]:
        return await self.stage.owner.fetch("SELECT * FROM bot_entries WHERE bot_id = $1 ORDER BY opened_at, id", id)

    async def orders(self, id: UUID) -> list[tuple[Any, ...]]:
        """Role, type and status of each order of a bot, in order."""
        rows = await self.stage.owner.fetch(
            "SELECT bracket_role, type, status FROM orders WHERE bot_id = $1"
            " ORDER BY created_at, array_position(ARRAY['entry', 'take_profit', 'stop_loss'], bracket_role), id",
            id,
        )
        return [tuple(row) for row in rows]

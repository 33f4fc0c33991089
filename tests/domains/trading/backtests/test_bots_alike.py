"""One bot over the same candles, in a back-test and as the worker runs it: it trades the same."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from app.domains.market.prices.model import Candle
from app.domains.trading.backtests.model.reports import BotTerms
from app.domains.trading.backtests.rules.market import Market
from app.domains.trading.backtests.rules.simulation import Simulation
from app.domains.trading.bots.model import NewBot
from app.domains.trading.strategies.model import (
    Arbitrage,
    Breakout,
    Dca,
    Grid,
    MeanReversion,
    Momentum,
    PatternRecognition,
)
from tests.domains.trading.backtests.rules.scripts import RUN, walk_of
from tests.domains.trading.backtests.test_parity import Heard, Replay
from tests.domains.trading.orders.trader import Trader

COUNT = 60
FILL = "side, quantity, price, quote_quantity, fee, liquidity, quote_bid, quote_ask, quote_at"
# Where it buys twice at once, the second fill is a microsecond later.
WHEN = "date_trunc('milliseconds', f.created_at) AS created_at"
TERMS: dict[str, tuple[BotTerms, int]] = {
    "dca with a cool-down and a limit of the day": (
        BotTerms(
            symbol="BTC",
            config=Dca(amount_usd=Decimal(150), every_candles=2),
            stop_loss_percentage=Decimal(1),
            take_profit_percentage=Decimal("1.5"),
            cool_down_ms=3 * 3_600_000,
            daily_loss_limit_usd=Decimal(6),
        ),
        18,
    ),
    "grid": (BotTerms(symbol="BTC", config=Grid(range_percentage=Decimal(20), levels=12)), 20),
    "momentum": (BotTerms(symbol="BTC", config=Momentum(period=4, threshold_percentage=Decimal(1))), 4),
    "mean reversion": (
        BotTerms(
            symbol="BTC", config=MeanReversion(period=8, deviations=Decimal("1.5"), rsi_period=7, oversold=Decimal(45))
        ),
        2,
    ),
    "arbitrage": (BotTerms(symbol="BTC", config=Arbitrage()), 12),
    "breakout": (BotTerms(symbol="BTC", config=Breakout(entry_period=4, exit_period=2)), 6),
    "patterns": (BotTerms(symbol="BTC", config=PatternRecognition(trend_period=4)), 4),
}
"""What a bot is, and how many fills it has at least."""


class Worker(Replay):
    """The prices of a back-test at the paper exchange, and a bot that decides on each candle as it is stored."""

    async def begin(self, terms: BotTerms) -> None:
        given: dict[str, Any] = {
            name: getattr(terms, name) for name in BotTerms.__struct_fields__ if name not in {"symbol", "config"}
        }
        stage, interval = self.trader.stage, self.candles[0].interval
        new = NewBot(
            portfolio_id=self.trader.id,
            name="A bot",
            strategy=terms.config,
            target_symbols=[terms.symbol],
            interval=interval,
            ai_model=None,
            **given,
        )
        # A bot is not started without a candle.
        await self._store(self.candles[0])
        self.bot_id = await stage.trading.bots.create(stage.alice, new, stage.key)
        await stage.trading.bots.start(stage.alice, self.bot_id)

    async def run(self, prices: Sequence[tuple[datetime, Decimal]]) -> None:
        """The prices of the back-test, in turn. At the first of each candle the bot decides on the one before."""
        begun = {each.opened_at: number for number, each in enumerate(self.candles)}
        clock = self.trader.stage.clock
        for at, price in prices:
            clock.advance(at - clock.now())
            await self.quote(at, price)
            await self.trader.market.match()
            if number := begun.get(at):
                await self._decide(number - 1, at)

    async def _decide(self, number: int, at: datetime) -> None:
        if number:
            await self._store(self.candles[number])
        interval = self.candles[number].interval
        payload = {"interval": interval, "closed_at": at.isoformat(), "bots": [str(self.bot_id)]}
        await self.trader.stage.trading.bot_runner.run(payload)
        await self.trader.market.match()

    async def _store(self, candle: Candle) -> None:
        names = ("symbol", "exchange", "interval", "opened_at", "open", "high", "low", "close", "volume_usd")
        await self.trader.stage.owner.execute(
            f"INSERT INTO candles ({', '.join(names)}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            *(getattr(candle, name) for name in names),
        )


def candles_since(trader: Trader) -> list[Candle]:
    begin = trader.stage.clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    walk = walk_of(COUNT, 5, step=0.02)
    return [replace(each, opened_at=begin + number * each.interval.length) for number, each in enumerate(walk)]


@pytest.mark.parametrize("name", TERMS)
async def test_a_bot_and_its_back_test_trade_alike(trader: Trader, name: str) -> None:
    terms, fills = TERMS[name]
    candles = candles_since(trader)
    market = Market(candles, has_second=True)
    made = Simulation(replace(RUN, bot=terms), market, 0, COUNT, thorough=True)
    heard = Heard(made.sandbox)
    found = made.run()
    assert len(made.sandbox.fills) >= fills

    worker = Worker(trader, candles)
    await worker.begin(terms)
    await worker.run([(at, price) for kind, at, (price, *_) in heard.steps if kind == "quote"])

    owner = trader.stage.owner
    theirs = await owner.fetch(
        f"SELECT o.bracket_role, {', '.join(f'f.{each}' for each in FILL.split(', '))}, {WHEN}"
        " FROM fills f JOIN orders o ON o.id = f.order_id WHERE f.portfolio_id = $1 ORDER BY f.entry_id",
        trader.id,
    )
    ours = [
        (
            made.sandbox.order(each.order_id).bracket_role,
            *(getattr(each, field) for field in FILL.split(", ")),
            each.created_at,
        )
        for each in made.sandbox.fills
    ]
    assert ours == [tuple(row) for row in theirs]
    cash, _, _ = await trader.stage.cash(trader.id)
    assert cash == found.curve[-1].cash_usd
    ignored = await owner.fetchval(
        "SELECT count(*) FROM trading_signals WHERE signal_type = 'BUY' AND execution_status <> 'EXECUTED'"
    )
    assert ignored == found.metrics.ignored_signals
    assert ignored or not terms.cool_down_ms
    await trader.market.check()

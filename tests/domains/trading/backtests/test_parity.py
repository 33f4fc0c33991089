"""One path of ticks, through a back-test and through the paper exchange with its database: the fills are equal."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from app.domains.market.prices.model import Candle, Move
from app.domains.trading.backtests.model.reports import Exit
from app.domains.trading.backtests.rules.market import Market
from app.domains.trading.backtests.rules.sandbox import Bracket, Sandbox
from app.domains.trading.backtests.rules.simulation import Simulation
from app.domains.trading.exchange.model import Quote
from app.domains.trading.matching.services.prices import PriceNotes
from app.domains.trading.orders.model import NewBracket, OrderChanges
from app.domains.trading.quantities.rules import PRICE_SCALE, decimal_of, moment_of
from app.domains.trading.strategies.model import Breakout, Config, Grid, PatternRecognition, SignalType
from app.kit.db import SYSTEM
from tests.domains.trading.backtests.rules.scripts import RUN, signals, walk_of
from tests.domains.trading.orders.trader import Trader

BUY, SELL = SignalType.BUY, SignalType.SELL
DAY = timedelta(days=1)
Step = tuple[str, datetime, tuple[Any, ...]]


class Heard:
    """What a back-test asks of its sandbox, in order."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.steps = list[Step]()
        self._quote, self._place, self._change = sandbox.quote, sandbox.place, sandbox.change
        self._at = datetime.min.replace(tzinfo=UTC)
        sandbox.quote, sandbox.place, sandbox.change = self.quote, self.place, self.change  # type: ignore[method-assign]

    def quote(self, quote: Quote) -> None:
        self._at = moment_of(quote.at)
        self.steps.append(("quote", self._at, (decimal_of(quote.price, PRICE_SCALE),)))
        self._quote(quote)

    def place(self, new: NewBracket, slot: int | None = None) -> Bracket:
        made = self._place(new, slot)
        self.steps.append(("place", self._at, (new, made)))
        return made

    def change(self, order_id: UUID, changes: OrderChanges, reason: Exit) -> None:
        self.steps.append(("change", self._at, (order_id, changes)))
        self._change(order_id, changes, reason)


class Replay:
    """The same at the paper exchange. What the market did in the 24 hours before is read off the candles here."""

    def __init__(self, trader: Trader, candles: Sequence[Candle]) -> None:
        self.trader = trader
        self.candles = candles
        self.ids = dict[UUID, UUID]()

    async def do(self, steps: Sequence[Step]) -> None:
        clock = self.trader.stage.clock
        for kind, at, given in steps:
            clock.advance(at - clock.now())
            await getattr(self, kind)(at, *given)
            await self.trader.market.match()

    async def quote(self, at: datetime, price: Decimal) -> None:
        length = self.candles[0].interval.length
        [begun] = [each.opened_at for each in self.candles if each.opened_at <= at < each.opened_at + length]
        before = [each for each in self.candles if begun - DAY < each.opened_at + length <= begun]
        stage = self.trader.stage
        await stage.owner.execute(
            "UPDATE market_data SET price_usd = $1, price_aud = $1, last_updated = $2, volume_24h_usd = $3,"
            " high_24h = $4, low_24h = $5 WHERE symbol = 'BTC'",
            price,
            at,
            sum((each.volume_usd for each in before), Decimal(0)),
            max((each.high for each in before), default=None),
            min((each.low for each in before), default=None),
        )
        move = Move("BTC", None, price)
        await stage.database.write(SYSTEM, lambda tx: PriceNotes(stage.clock).note(tx, "simulated", [move]))

    async def place(self, _: datetime, new: NewBracket, made: Bracket) -> None:
        stage = self.trader.stage
        placed = await stage.trading.orders.place_bracket(stage.alice, self.trader.id, new, stage.key)
        self.ids |= {
            made.entry: placed.entry_id,
            made.take_profit: placed.take_profit_id,
            made.stop_loss: placed.stop_loss_id,
        }

    async def change(self, _: datetime, order_id: UUID, changes: OrderChanges) -> None:
        stage = self.trader.stage
        await stage.trading.orders.replace(stage.alice, self.ids[order_id], changes, stage.key)


async def compare(trader: Trader, made: Simulation, candles: Sequence[Candle], *, fills: int) -> None:
    heard = Heard(made.sandbox)
    found = made.run()
    assert len(made.sandbox.fills) >= fills
    replay = Replay(trader, candles)
    await replay.do(heard.steps)
    rows = await trader.stage.owner.fetch("SELECT * FROM fills WHERE portfolio_id = $1 ORDER BY entry_id", trader.id)
    names = ("side", "quantity", "price", "quote_quantity", "fee", "liquidity", "quote_bid", "quote_ask", "quote_at")
    theirs = [(row["order_id"], *(row[name] for name in names)) for row in rows]
    ours = [(replay.ids[each.order_id], *(getattr(each, name) for name in names)) for each in made.sandbox.fills]
    assert ours == theirs
    assert [row["created_at"] for row in rows] == [each.created_at for each in made.sandbox.fills]
    cash, reserved, _ = await trader.stage.cash(trader.id)
    assert cash == found.curve[-1].cash_usd
    position = await trader.stage.position(trader.id)
    assert position is not None
    assert position[0] == decimal_of(made.sandbox.coins)
    assert position[1] == made.sandbox.cost
    assert position[2] == found.metrics.realized_pnl_usd
    orders = await trader.stage.owner.fetch("SELECT * FROM orders WHERE portfolio_id = $1", trader.id)
    by_id = {row["id"]: row for row in orders}
    assert by_id.keys() == set(replay.ids.values())
    for mine, theirs_id in replay.ids.items():
        row, order = by_id[theirs_id], made.sandbox.order(mine)
        for name in ("status", "reason", "quantity", "price", "stop_price", "filled_quantity", "fees", "reserved"):
            assert row[name] == getattr(order, name), name
    assert reserved == 0
    await trader.market.check()


def candles_since(trader: Trader, count: int, seed: int, step: float) -> list[Candle]:
    """Candles from the next whole hour on."""
    begin = trader.stage.clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    walk = walk_of(count, seed, step=step)
    return [replace(each, opened_at=begin + number * each.interval.length) for number, each in enumerate(walk)]


async def test_scripted_entries_and_exits_fill_alike(trader: Trader) -> None:
    candles = candles_since(trader, 40, 11, 0.03)
    market = Market(candles)
    first = candles[0].opened_at
    types = dict.fromkeys(range(0, 40, 2), BUY) | dict.fromkeys(range(7, 40, 8), SELL)
    decide = signals(types, begin=first)
    made = Simulation(RUN, market, 0, len(market), decide, thorough=True)
    await compare(trader, made, candles, fills=20)


@pytest.mark.parametrize(
    "config", [Grid(levels=6), Breakout(entry_period=4, exit_period=2), PatternRecognition(trend_period=4)]
)
async def test_strategies_fill_alike(trader: Trader, config: Config) -> None:
    candles = candles_since(trader, 60, 5, 0.02)
    market = Market(candles)
    run = replace(RUN, bot=replace(RUN.bot, config=config, stop_loss_percentage=Decimal(3)))
    made = Simulation(run, market, 0, len(market))
    await compare(trader, made, candles, fills=4)

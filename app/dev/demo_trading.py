"""Portfolios for the demo: some weeks of orders at the prices of the demo market, and what they were worth and did."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Final, NamedTuple
from uuid import UUID

from app.domains.accounts.model import Viewer
from app.domains.market.prices.model import Interval
from app.domains.market.prices.statements import PriceSql
from app.domains.market.providers.rules.profiles import AUD_PER_USD
from app.domains.market.providers.services.simulated import SIMULATED
from app.domains.trading.analytics.model import NewEvent
from app.domains.trading.bots.model import NewBot
from app.domains.trading.bots.statements import BotSql
from app.domains.trading.exchange.model import OrderType
from app.domains.trading.exchange.rules.rounding import tick_below
from app.domains.trading.journal.model import Currency
from app.domains.trading.matching.services.exchange import LEADER
from app.domains.trading.orders.model import NewOrder
from app.domains.trading.portfolios.model import NewPortfolio, PortfolioChanges
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE, decimal_of, units_of
from app.domains.trading.services import TradingServices
from app.domains.trading.strategies.model import Config, Dca, Grid
from app.kit.clock import FixedClock
from app.kit.db import SYSTEM, Database
from app.kit.leadership import Leadership
from app.kit.sql import Command, Query, Statement, Statements

_UNIT: Final = Decimal("0.00000001")
_PRICE_UNIT: Final = Decimal("0.000000000001")


class DemoTradingSql(Statements, file="demo_trading.sql"):
    """The statements of the demo's portfolios."""

    portfolios_exist: Query[bool]
    hourly_close: Query[Decimal]
    note_price: Command
    fill_in_values: Command


class Trade(NamedTuple):
    """A purchase or sale for so many dollars, at a part of the time that the demo covers."""

    at: float
    side: Side
    symbol: str
    dollars: int


class DemoPortfolio(NamedTuple):
    """A portfolio and its trades, in their order."""

    name: str
    currency: Currency
    trades: tuple[Trade, ...]


PORTFOLIOS: Final = (
    DemoPortfolio(
        "Long term",
        Currency.USD,
        (
            Trade(0.05, Side.BUY, "BTC", 3500),
            Trade(0.2, Side.BUY, "ETH", 2200),
            Trade(0.4, Side.BUY, "SOL", 1200),
            Trade(0.6, Side.SELL, "ETH", 900),
            Trade(0.8, Side.BUY, "BTC", 1000),
        ),
    ),
    DemoPortfolio(
        "Down under",
        Currency.AUD,
        (
            Trade(0.1, Side.BUY, "XRP", 1500),
            Trade(0.3, Side.BUY, "BTC", 2000),
            Trade(0.5, Side.SELL, "XRP", 500),
            Trade(0.7, Side.BUY, "ADA", 900),
        ),
    ),
)


EVENTS: Final = (
    NewEvent(type="page.opened", data={"page": "/portfolios"}, client_session="demo-1"),
    NewEvent(type="chart.zoomed", data={"symbol": "BTC", "interval": "1h"}, client_session="demo-1"),
    NewEvent(type="page.opened", data={"page": "/tokens/btc"}, client_session="demo-1"),
)
"""What each of the two has tracked, beside what Moneta records itself."""


class Resting(NamedTuple):
    """An order that waits: for so many dollars, at a part of the price, in a token that the portfolio trades."""

    side: Side
    symbol: str
    dollars: int
    part: Decimal


RESTING: Final = (
    Resting(Side.BUY, "BTC", 200, Decimal("0.9997")),
    Resting(Side.SELL, "BTC", 200, Decimal("1.0003")),
    Resting(Side.BUY, "BTC", 400, Decimal("0.97")),
    Resting(Side.SELL, "BTC", 300, Decimal("1.04")),
)
"""Within two minutes the simulated market nearly always reaches one of the first two, and hardly ever the others."""


class DemoBot(NamedTuple):
    """A bot that trades in a portfolio every few minutes."""

    name: str
    strategy: Config
    symbols: tuple[str, ...]


BOTS: Final = (
    DemoBot("Every five minutes", Dca(amount_usd=Decimal(20), every_candles=5), ("BTC",)),
    # Levels so close that the simulated market falls through one of them nearly each minute.
    DemoBot("Close levels", Grid(range_percentage=Decimal(1), levels=11), ("ETH", "SOL", "XRP", "ADA", "DOGE")),
)
"""Both are of the first person, and decide on candles of a minute."""


async def load_demo_trading(  # noqa: PLR0917  # six different types: no two can be confused
    trading: TradingServices,
    database: Database,
    clock: FixedClock,
    people: tuple[Viewer, Viewer],
    days: int,
    progressed: Callable[[int, int], None],
) -> bool:
    """Loads it; False if there has been a portfolio that no user began with, if the market is not the demo's, or while
    another process matches.

    `clock` is that of the services. It shows other times meanwhile.
    """
    quoted = await database.fetch(PriceSql.last_quotes, SIMULATED)
    [exists] = await database.write(SYSTEM, lambda tx: tx.fetch(DemoTradingSql.portfolios_exist))
    leadership = Leadership(database, LEADER)
    if exists or not quoted or not await leadership.hold():
        return False
    try:
        await trading.matcher.lead()
        await _trade_on(_Desk(trading, database, clock), people, timedelta(days=days), progressed)
    finally:
        await leadership.give_up()
    await trading.values.record()
    await trading.values.summarize()
    await trading.performance.measure()
    for person in people:
        for number, event in enumerate(EVENTS):
            await trading.analytics.track(person, event, f"demo event {number}")
    await trading.analytics.count()
    return True


async def _trade_on(
    desk: "_Desk", people: tuple[Viewer, Viewer], span: timedelta, progressed: Callable[[int, int], None]
) -> None:
    now = desk.clock.now()
    for table in ("journal_entries", "journal_lines", "fills"):
        await desk.run(PriceSql.make_partitions, table, now - span, now)
    trading, steps, done = desk.trading, sum(len(each.trades) + 1 for each in PORTFOLIOS), 0
    ids = list[UUID]()
    desk.clock.advance(now - span - desk.clock.now())
    for person, portfolio in zip(people, PORTFOLIOS, strict=True):
        new = NewPortfolio(name=portfolio.name, currency=portfolio.currency)
        id = await trading.portfolios.create(person, new, f"demo portfolio {portfolio.name}")
        await trading.portfolios.update(person, id, PortfolioChanges(default=True))
        ids.append(id)
    # Of both together, by time: the books of the exchange are everybody's, and time in them does not go back.
    trades = [
        (trade, person, id)
        for person, portfolio, id in zip(people, PORTFOLIOS, ids, strict=True)
        for trade in portfolio.trades
    ]
    for trade, person, id in sorted(trades, key=lambda each: each[0].at):
        desk.clock.advance(now - span * (1 - trade.at) - desk.clock.now())
        await desk.trade(person, id, trade)
        done += 1
        progressed(done, steps)
    desk.clock.advance(now - desk.clock.now())
    for person, portfolio, id in zip(people, PORTFOLIOS, ids, strict=True):
        rate = Decimal(1) if portfolio.currency is Currency.USD else _rate()
        await desk.run(DemoTradingSql.fill_in_values, id, SIMULATED, rate, now)
        for resting in RESTING:
            await desk.rest(person, id, resting)
        done += 1
        progressed(done, steps)
    for bot in BOTS:
        await desk.start(people[0], ids[0], bot)


@dataclass
class _Desk:
    """Places orders at prices of the past, and matches them at once."""

    trading: TradingServices
    database: Database
    clock: FixedClock
    keys: Iterator[int] = field(default_factory=count)

    async def run(self, statement: Statement, *args: object) -> None:
        """Runs a statement as the system."""
        await self.database.write(SYSTEM, lambda tx: tx.execute(statement, *args))

    async def trade(self, person: Viewer, portfolio_id: UUID, trade: Trade) -> None:
        """Buys or sells at the price of that hour."""
        if await self._quote(trade.symbol) is None:
            return
        order = NewOrder(
            symbol=trade.symbol, side=trade.side, type=OrderType.MARKET, quote_amount=Decimal(trade.dollars)
        )
        await self._place(person, portfolio_id, order)

    async def rest(self, person: Viewer, portfolio_id: UUID, resting: Resting) -> None:
        """Places a limit order near the present price."""
        price = await self._quote(resting.symbol)
        if price is None:
            return
        limit = tick_below(units_of((price * resting.part).quantize(_PRICE_UNIT), PRICE_SCALE))
        at = decimal_of(limit, PRICE_SCALE)
        order = NewOrder(
            symbol=resting.symbol,
            side=resting.side,
            type=OrderType.LIMIT,
            quantity=(resting.dollars / at).quantize(_UNIT),
            price=at,
        )
        await self._place(person, portfolio_id, order)

    async def start(self, person: Viewer, portfolio_id: UUID, bot: DemoBot) -> None:
        """Creates and starts a bot, in those of its tokens that have candles of a minute: a small demo has few."""
        missing = await self.database.fetch(BotSql.without_candles, list(bot.symbols), Interval.ONE_MINUTE)
        symbols = [symbol for symbol in bot.symbols if symbol not in missing]
        if not symbols:
            return
        new = NewBot(
            portfolio_id=portfolio_id,
            name=bot.name,
            strategy=bot.strategy,
            target_symbols=symbols,
            interval=Interval.ONE_MINUTE,
            max_position_usd=Decimal(500),
        )
        id = await self.trading.bots.create(person, new, f"demo bot {bot.name}")
        await self.trading.bots.start(person, id)

    async def _place(self, person: Viewer, portfolio_id: UUID, order: NewOrder) -> None:
        await self.trading.orders.place(person, portfolio_id, order, f"demo order {next(self.keys)}")
        await self._match()

    async def _quote(self, symbol: str) -> Decimal | None:
        """Tells the exchange the price of now, and returns it."""
        now = self.clock.now()
        found = await self.database.fetch(DemoTradingSql.hourly_close, symbol, SIMULATED, now)
        if not found:
            return None
        price = found[0].quantize(_PRICE_UNIT)
        in_aud = (price * _rate()).quantize(_PRICE_UNIT)
        await self.run(DemoTradingSql.note_price, symbol, SIMULATED, price, in_aud, now)
        await self._match()
        return price

    async def _match(self) -> None:
        while (await self.trading.matcher.match()).commands:
            pass


def _rate() -> Decimal:
    return Decimal(str(AUD_PER_USD)).quantize(_PRICE_UNIT)

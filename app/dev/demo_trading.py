"""Portfolios for the demo: some weeks of trades at the prices of the demo market, and what they were worth and did."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID, uuid4

from app.domains.accounts.model import Viewer
from app.domains.market.prices.statements import PriceSql
from app.domains.market.providers.rules.profiles import AUD_PER_USD
from app.domains.market.providers.services.simulated import SIMULATED
from app.domains.trading.journal.model import Currency, EntryKind, Fill, NewEntry, Side
from app.domains.trading.journal.rules.entries import fill_lines
from app.domains.trading.journal.rules.units import price_units_of, units_of
from app.domains.trading.journal.services import post
from app.domains.trading.portfolios.model import NewPortfolio
from app.domains.trading.services import TradingServices
from app.kit.clock import FixedClock
from app.kit.db import SYSTEM, Database
from app.kit.sql import Command, Query, Statements

FEE: Final = Decimal("0.002")
_UNIT: Final = Decimal("0.00000001")
_PRICE_UNIT: Final = Decimal("0.000000000001")


class DemoTradingSql(Statements, file="demo_trading.sql"):
    """The statements of the demo's portfolios."""

    portfolios_exist: Query[bool]
    hourly_close: Query[Decimal]
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


async def load_demo_trading(  # noqa: PLR0917  # six different types: no two can be confused
    trading: TradingServices,
    database: Database,
    clock: FixedClock,
    people: tuple[Viewer, Viewer],
    days: int,
    progressed: Callable[[int, int], None],
) -> bool:
    """Loads it; False if there has been a portfolio, or the market is not the demo's. `clock` is that of the services.

    It shows other times meanwhile.
    """
    now = clock.now()
    quoted = await database.fetch(PriceSql.last_quotes, SIMULATED)
    [exists] = await database.write(SYSTEM, lambda tx: tx.fetch(DemoTradingSql.portfolios_exist))
    if exists or not quoted:
        return False
    span = timedelta(days=days)
    for table in ("journal_entries", "journal_lines"):
        values = (table, now - span, now)
        await database.write(SYSTEM, lambda tx, values=values: tx.fetch(PriceSql.make_partitions, *values))  # type: ignore[misc]
    steps, done = sum(len(each.trades) + 1 for each in PORTFOLIOS), 0
    for person, portfolio in zip(people, PORTFOLIOS, strict=True):
        clock.advance(now - span - clock.now())
        new = NewPortfolio(name=portfolio.name, currency=portfolio.currency)
        id = await trading.portfolios.create(person, new, f"demo portfolio {portfolio.name}")
        for trade in portfolio.trades:
            clock.advance(now - span * (1 - trade.at) - clock.now())
            await _trade(database, clock, id, portfolio.currency, trade)
            done += 1
            progressed(done, steps)
        clock.advance(now - clock.now())
        rate = Decimal(1) if portfolio.currency is Currency.USD else _rate()
        await database.write(
            SYSTEM,
            lambda tx, id=id, rate=rate: tx.execute(DemoTradingSql.fill_in_values, id, SIMULATED, rate, now),  # type: ignore[misc]
        )
        done += 1
        progressed(done, steps)
    await trading.values.record()
    await trading.values.summarize()
    await trading.performance.measure()
    return True


async def _trade(database: Database, clock: FixedClock, id: UUID, currency: Currency, trade: Trade) -> None:
    """Trades at the price of that hour, as a matcher would post it."""
    found = await database.fetch(DemoTradingSql.hourly_close, trade.symbol, SIMULATED, clock.now())
    if not found:
        return
    price = found[0].quantize(_PRICE_UNIT)
    terms = Fill(
        trade.side,
        trade.symbol,
        units_of((trade.dollars / price).quantize(_UNIT)),
        price_units_of(price),
        units_of((trade.dollars * FEE).quantize(_UNIT)),
        currency,
        None if currency is Currency.USD else price_units_of(_rate()),
    )
    entry = NewEntry(
        kind=EntryKind.FILL,
        portfolio_id=id,
        life=1,
        lines=fill_lines(terms),
        at=clock.now(),
        fill_id=uuid4(),
        memo="Demo: a fill without an order.",
    )
    await database.write(SYSTEM, lambda tx: post(tx, entry))


def _rate() -> Decimal:
    return Decimal(str(AUD_PER_USD)).quantize(_PRICE_UNIT)

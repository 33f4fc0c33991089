"""A portfolio hour by hour, as the market, the user and the schedules make it, and a book of it that is kept apart."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np

from app.domains.trading.journal.model import Currency
from app.domains.trading.performance.loaders import performance_by_portfolio
from app.domains.trading.performance.model import Period, PeriodPerformance
from app.domains.trading.quantities.model import Side
from app.kit.lists import page_request
from app.kit.reads import Reads
from tests.domains.trading.stage import Stage

HOUR = timedelta(hours=1)


class Point(NamedTuple):
    """What the portfolio was worth at a time, and what was paid in or out just after."""

    at: datetime
    value: float
    cash: float
    flow: float


@dataclass
class Hours:
    """A portfolio in dollars that holds one token."""

    stage: Stage
    id: UUID
    cash: float = 10_000
    quantity: float = 0
    price: float = 100
    points: list[Point] = field(default_factory=list)

    @classmethod
    async def begin(cls, stage: Stage) -> "Hours":
        made = cls(stage, await stage.create())
        made._note()
        return made

    def _note(self, flow: float = 0, at: datetime | None = None) -> None:
        value = self.cash + self.quantity * self.price
        self.points.append(Point(at or self.stage.clock.now(), value, self.cash, flow))

    async def to(self, price: float) -> None:
        """The price changes."""
        self.price = price
        await self.stage.quote({"BTC": (str(price), str(price * 1.5))})

    async def next_hour(self, price: float | None = None) -> None:
        """The next hour begins at a price, and the values are recorded seconds later."""
        clock = self.stage.clock
        hour = clock.now().replace(minute=0, second=0, microsecond=0) + HOUR
        clock.advance(hour - clock.now())
        await self.to(self.price if price is None else price)
        await self.stage.trading.values.record()
        self._note(at=hour)

    async def pay(self, amount: float) -> None:
        """Pays in, or out if it is negative."""
        self.stage.clock.advance(timedelta(minutes=1))
        portfolios = self.stage.trading.portfolios
        move = portfolios.deposit if amount > 0 else portfolios.withdraw
        await move(self.stage.alice, self.id, Decimal(str(abs(amount))), Currency.USD, self.stage.key)
        self._note(amount)
        self.cash += amount

    async def trade(self, side: Side, quantity: float, fee: float) -> None:
        """Buys or sells at the present price."""
        await self.stage.fill(self.id, side, str(quantity), str(self.price), str(fee))
        sign = 1 if side is Side.BUY else -1
        self.quantity += sign * quantity
        self.cash -= sign * quantity * self.price + fee

    async def measured(self, period: Period = Period.DAY) -> list[PeriodPerformance]:
        """What the owner reads, newest first, after measuring."""
        await self.stage.trading.performance.measure()
        return await read(self.stage, self.id, period)


async def read(stage: Stage, id: UUID, period: Period = Period.DAY) -> list[PeriodPerformance]:
    reads = Reads(stage.database, stage.alice.scope)
    try:
        request = page_request(performance_by_portfolio, 1000, filters={"period": period})
        return (await reads.page(performance_by_portfolio, id, request)).records
    finally:
        await reads.aclose()


def expected(points: list[Point], begins_at: datetime, ends_at: datetime) -> dict[str, Any]:
    """What numpy makes of the part of a book from the last point until a time, or the first, until another time."""
    inside = [each for each in points if each.at <= ends_at]
    first = max([i for i, each in enumerate(inside) if each.at <= begins_at], default=0)
    part = inside[first:]
    values, cash, flows = (np.array([getattr(each, name) for each in part]) for name in ("value", "cash", "flow"))
    times = np.array([each.at.timestamp() for each in part])
    index = np.concatenate([[1], np.cumprod(values[1:] / (values + flows)[:-1])])
    held, weights = (values - cash)[:-1] / values[:-1], np.diff(times)
    midnights = np.flatnonzero(times % 86_400 == 0)
    daily = index[midnights][1:] / index[midnights][:-1] - 1
    year = np.sqrt(365)
    ratios = len(daily) > 1
    losses = np.sqrt(np.mean(np.minimum(daily, 0) ** 2)) if ratios else 0
    left = (times[-1] - times) / (times[-1] - times[0])
    return {
        "opening_value": values[0],
        "closing_value": values[-1],
        "net_flow": flows[:-1].sum(),
        "gain": values[-1] - values[0] - flows[:-1].sum(),
        "time_weighted_return": index[-1] - 1,
        "max_drawdown": (1 - index / np.maximum.accumulate(index)).max(),
        "volatility": np.std(daily, ddof=1) * year if ratios else None,
        "sharpe": np.mean(daily) / np.std(daily, ddof=1) * year if ratios else None,
        "sortino": np.mean(daily) / losses * year if losses else None,
        "exposure": np.average(held, weights=weights),
        "time_in_market": np.average(held > 0, weights=weights),
        "mean_value": np.average(values[:-1], weights=weights),
        "paid": (np.append(values[0], flows[:-1]), np.append(1, left[:-1]), values[-1]),
    }

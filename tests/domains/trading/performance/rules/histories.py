"""Histories of portfolios for the tests of performance."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

from hypothesis import strategies as st

from app.domains.trading.performance.model import Flow, Span, Trading, ValuePoint
from app.domains.trading.performance.rules.history import History, history_of

Amount: TypeAlias = Decimal | int | str | float

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
YEAR = Span(BEGIN, BEGIN + 365 * DAY)
CENT = Decimal("0.01")


def day(number: float) -> datetime:
    """The time so many days after the beginning."""
    return BEGIN + number * DAY


def money(amount: Amount) -> Decimal:
    """An amount with at most 8 decimals."""
    return Decimal(str(amount)).quantize(Decimal("1E-8")).normalize() + 0


def points(values: Sequence[Amount], step: timedelta = DAY, cash: Amount = 0) -> list[ValuePoint]:
    return [ValuePoint(BEGIN + i * step, money(value), money(cash)) for i, value in enumerate(values)]


def point(number: float, value: Amount, cash: Amount = 0) -> ValuePoint:
    return ValuePoint(day(number), money(value), money(cash))


def flow(number: float, amount: Amount) -> Flow:
    return Flow(day(number), money(amount))


def amounts(least: int, most: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(least, most, places=2, allow_nan=False, allow_infinity=False)


times = st.integers(0, 40 * 24).map(lambda hours: day(hours / 24))


@st.composite
def histories(draw: st.DrawFn, largest: Decimal = Decimal(10) ** 17) -> History:
    """Any history that is well formed, however unlikely: worthless, with gains from nothing, with more withdrawn."""
    values = []
    for at in draw(st.lists(times, max_size=12, unique=True)):
        value = draw(st.one_of(st.just(Decimal(0)), amounts(0, 100_000), st.just(largest)))
        values.append(
            ValuePoint(at, value, (value * draw(st.sampled_from([Decimal(0), Decimal(1), CENT]))).quantize(CENT))
        )
    flows = draw(st.lists(st.builds(Flow, times, amounts(-50_000, 50_000)), max_size=6))
    return history_of(values, flows)


@st.composite
def tradings(draw: st.DrawFn) -> Trading:
    """Anything that may have been traded."""
    fills, some = draw(st.integers(0, 50)), amounts(0, 10_000)
    if not fills:
        return Trading()
    pnls = draw(st.lists(amounts(-10_000, 10_000), max_size=fills))
    return Trading(
        draw(st.integers(max(1, len(pnls)), fills)),
        fills,
        draw(some),
        draw(amounts(-1, 10)),
        len(pnls),
        sum(pnl > 0 for pnl in pnls),
        sum((pnl for pnl in pnls if pnl > 0), Decimal(0)),
        sum((-pnl for pnl in pnls if pnl < 0), Decimal(0)),
        max(pnls, default=None),
        min(pnls, default=None),
    )

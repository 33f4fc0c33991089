"""What a run did, as a report: its curve, its round trips, and the metrics by the rules of performance. Pure."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from app.domains.trading.backtests.model import CURVE_POINTS
from app.domains.trading.backtests.model.reports import (
    Benchmark,
    CurvePoint,
    Exit,
    Metrics,
    OpenPosition,
    Report,
    RoundTrip,
)
from app.domains.trading.backtests.rules.sandbox import Closed, Sandbox
from app.domains.trading.exchange.rules.fees import SCHEDULES
from app.domains.trading.exchange.rules.rounding import received
from app.domains.trading.journal.model import Disposed
from app.domains.trading.orders.model import BracketRole, Fill
from app.domains.trading.performance.model import Performance, Span, Trading, ValuePoint
from app.domains.trading.performance.rules.history import history_of
from app.domains.trading.performance.rules.performance import performance
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE, decimal_of, moment_of, units_of
from app.domains.trading.strategies.model import SignalType
from app.domains.trading.strategies.rules.acting import Losses


class Point(NamedTuple):
    """What the bot was worth at the end of a candle, in units."""

    at: int
    value: int
    cash: int
    price: int


class Ledger:
    """What is written down while a run is simulated: cash in units, times in milliseconds since 1970."""

    def __init__(self, cash: int, begins_at: int) -> None:
        self.cash: Final = cash
        self.begins_at: Final = begins_at
        self.points = list[Point]()
        self.signals = Counter[SignalType]()
        self.ignored = 0
        self.last_ignored: str | None = None
        self.benchmark_coins = 0
        self._seen = 0
        self._today = list[Closed]()
        self._last_loss_at: datetime | None = None

    def begin(self, touch: tuple[int, int] | None, opened: int, tier: str) -> None:
        """Buys what is compared with, at what the house asks at the first open."""
        ask = opened if touch is None else touch[1] or opened
        spent = self.cash * COIN // (COIN + SCHEDULES[tier].taker)
        self.benchmark_coins = spent * PRICE_SCALE // ask

    def note(self, point: Point) -> None:
        """Writes down what the bot is worth."""
        self.points.append(point)

    def hear(self, type: SignalType) -> None:
        """Counts a decision."""
        self.signals[type] += 1

    def ignore(self, reason: str) -> None:
        """Counts a decision to buy that could not be carried out."""
        self.ignored += 1
        self.last_ignored = reason

    def losses(self, sandbox: Sandbox, at: datetime) -> Losses:
        """What the entries that were sold until a time have lost, each by its own cost, as of a bot that runs: what one
        order sold of several is another sum. It is asked in the order of times.
        """
        new, self._seen = sandbox.closed[self._seen :], len(sandbox.closed)
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
        self._today = [each for each in (*self._today, *new) if each.at >= midnight]
        self._last_loss_at = max((each.at for each in new if each.pnl < 0), default=self._last_loss_at)
        return Losses(decimal_of(-sum(each.pnl for each in self._today)), self._last_loss_at)


def report_of(sandbox: Sandbox, ledger: Ledger, missing: int) -> Report:
    """The report of a run that is over."""
    trips = _trips(sandbox)
    points, last = ledger.points, ledger.points[-1]
    found = _measured(ledger, _trading(sandbox.fills, trips))
    return Report(
        begins_at=moment_of(ledger.begins_at),
        ends_at=moment_of(last.at),
        candles=len(points),
        missing_candles=missing,
        metrics=_metrics(found, ledger),
        benchmark=_benchmark(ledger, points),
        open=_open(sandbox, last),
        curve=_curve(ledger),
        trips=trips,
        last_ignored=ledger.last_ignored,
    )


def _measured(ledger: Ledger, trading: Trading) -> Performance:
    opening, began = decimal_of(ledger.cash), moment_of(ledger.begins_at)
    values = [ValuePoint(began, opening, opening)]
    values += [ValuePoint(moment_of(each.at), decimal_of(each.value), decimal_of(each.cash)) for each in ledger.points]
    return performance(history_of(values), Span(began, values[-1].at), trading)


def _metrics(found: Performance, ledger: Ledger) -> Metrics:
    return Metrics(
        final_value_usd=decimal_of(ledger.points[-1].value),
        return_fraction=found.time_weighted_return,
        max_drawdown=None if found.max_drawdown is None else found.max_drawdown.depth,
        volatility=found.volatility,
        sharpe=found.sharpe,
        sortino=found.sortino,
        exposure=found.exposure,
        time_in_market=found.time_in_market,
        orders=found.trades,
        fills=found.fills,
        turnover_usd=found.turnover,
        fees_usd=found.fees,
        round_trips=found.round_trips,
        realized_pnl_usd=found.realized_pnl,
        win_rate=found.win_rate,
        profit_factor=found.profit_factor,
        best_pnl_usd=found.best_pnl,
        worst_pnl_usd=found.worst_pnl,
        buy_signals=ledger.signals[SignalType.BUY],
        sell_signals=ledger.signals[SignalType.SELL],
        ignored_signals=ledger.ignored,
    )


def _trading(fills: Sequence[Fill], trips: Sequence[RoundTrip]) -> Trading:
    pnls = [each.pnl_usd for each in trips]
    nothing = Decimal(0)
    return Trading(
        trades=len({each.order_id for each in fills}),
        fills=len(fills),
        turnover=sum((each.quote_quantity for each in fills), nothing),
        fees=sum((each.fee for each in fills), nothing),
        round_trips=len(trips),
        wins=sum(pnl > 0 for pnl in pnls),
        profits=sum((pnl for pnl in pnls if pnl > 0), nothing),
        losses=-sum((pnl for pnl in pnls if pnl < 0), nothing),
        best=max(pnls, default=None),
        worst=min(pnls, default=None),
    )


def _trips(sandbox: Sandbox) -> list[RoundTrip]:
    """What each order sold, in the order in which the first of it was sold."""
    prices = {each.id: each.price for each in sandbox.fills}
    trips = list[RoundTrip]()
    for order_id, disposed in _by_order(sandbox, sandbox.disposed).items():
        quantity, cost, proceeds = (sum(getattr(each, name) for each in disposed) for name in _AMOUNTS)
        worth = sum(each.quantity * units_of(prices[_fill_of(each)], PRICE_SCALE) for each in disposed)
        trips.append(
            RoundTrip(
                number=len(trips) + 1,
                opened_at=min(each.acquired_at for each in disposed),
                closed_at=disposed[-1].at,
                quantity=decimal_of(quantity),
                cost_usd=decimal_of(cost),
                proceeds_usd=decimal_of(proceeds),
                pnl_usd=decimal_of(proceeds - cost),
                average_price_usd=decimal_of(worth // quantity, PRICE_SCALE),
                exit=_exit_of(sandbox, order_id),
            )
        )
    return trips


_AMOUNTS: Final = ("quantity", "cost", "proceeds")


def _by_order(sandbox: Sandbox, disposed: Sequence[Disposed]) -> dict[UUID, list[Disposed]]:
    found = dict[UUID, list[Disposed]]()
    for each in disposed:
        found.setdefault(sandbox.order_of_fill[_fill_of(each)], []).append(each)
    return found


def _fill_of(disposed: Disposed) -> UUID:
    assert disposed.fill_id is not None
    return disposed.fill_id


def _exit_of(sandbox: Sandbox, order_id: UUID) -> Exit:
    if (reason := sandbox.moved_for(order_id)) is not None:
        return reason
    role = sandbox.order(order_id).bracket_role
    return Exit.STOP_LOSS if role == BracketRole.STOP_LOSS else Exit.TAKE_PROFIT


def _open(sandbox: Sandbox, last: Point) -> OpenPosition | None:
    if not sandbox.coins:
        return None
    value = decimal_of(last.value - last.cash)
    return OpenPosition(
        decimal_of(sandbox.coins), sandbox.cost, decimal_of(last.price, PRICE_SCALE), value, value - sandbox.cost
    )


def _benchmark(ledger: Ledger, points: Sequence[Point]) -> Benchmark:
    high, deepest, value = ledger.cash, 0.0, 0
    for each in points:
        value = received(ledger.benchmark_coins, each.price)
        high = max(high, value)
        deepest = max(deepest, _fall(value, high))
    return Benchmark(decimal_of(value), (value - ledger.cash) / ledger.cash, deepest)


def _curve(ledger: Ledger) -> list[CurvePoint]:
    """Every so many points, so that the last is one of them."""
    points, high = ledger.points, ledger.cash
    step = -(-len(points) // CURVE_POINTS)
    first, curve = (len(points) - 1) % step, list[CurvePoint]()
    for number, each in enumerate(points):
        high = max(high, each.value)
        if number % step == first:
            curve.append(
                CurvePoint(
                    moment_of(each.at),
                    decimal_of(each.value),
                    decimal_of(each.cash),
                    decimal_of(each.price, PRICE_SCALE),
                    _fall(each.value, high),
                )
            )
    return curve


def _fall(value: int, high: int) -> float:
    """How far a value is below a high, as a fraction of it."""
    return (high - value) / high

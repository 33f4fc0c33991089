"""A bot over candles: what it decides at the end of each, and what comes of that at the paper exchange. Pure.

The same run over the same candles gives the same report to the byte: there is no clock and no randomness, IDs are
numbers, and all that is added up is in the order in which it happened.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, TypeAlias

from app.domains.market.analysis.rules.series import Series, series_of
from app.domains.market.prices.model import Candle
from app.domains.trading.backtests.model import Report, Run
from app.domains.trading.backtests.rules.desk import Desk
from app.domains.trading.backtests.rules.quotes import Bar, bars_of, path_of
from app.domains.trading.backtests.rules.reporting import Ledger, Point, report_of
from app.domains.trading.exchange.model import Quote
from app.domains.trading.exchange.rules.rounding import received
from app.domains.trading.quantities.rules import PRICE_SCALE, decimal_of, moment_of, units_of
from app.domains.trading.strategies.model import (
    WINDOW_CANDLES,
    Config,
    Decision,
    Entry,
    SignalType,
    State,
    Window,
)
from app.domains.trading.strategies.rules.acting import Brakes, SizedEntry, losses_of, orders_for
from app.kit.errors import Problem

Decide: TypeAlias = Callable[[Config, Window, Sequence[Entry], State | None], Decision]
Size: TypeAlias = Callable[[Run, Decision, Sequence[Entry], Decimal], Sequence[SizedEntry]]
"""What a decision buys at a price, of a bot that holds these entries."""
Advance: TypeAlias = Callable[[int], None]
"""Hears how many candles are done, after each. What it raises ends the run."""


class NoCandles(ValueError):
    """There is nothing to simulate."""


def nothing_to_hear(_: int) -> None:
    """For whom progress does not matter."""


class Simulation:
    """One run. `first` is the number of the first candle that is traded in: those before are only seen."""

    def __init__(  # what a run depends on
        self, run: Run, candles: Sequence[Candle], first: int, decide: Decide, size: Size, *, skips_idle: bool = True
    ) -> None:
        if first >= len(candles):
            raise NoCandles
        self._run = run
        self._candles = candles
        self._first = first
        self._decide = decide
        self._size = size
        self._skips_idle = skips_idle
        self._series: Final = series_of(candles)
        self._bars: Final = bars_of(candles)
        self._length_ms: Final = round(run.interval.length.total_seconds() * 1000)
        bot = run.bot
        self.desk: Final = Desk(bot.symbol, units_of(run.initial_cash_usd), run.tier)
        self._brakes = Brakes(bot.daily_loss_limit_usd, bot.cool_down_ms)
        self._state: State | None = None
        self._decision: Decision | None = None
        self._ledger = Ledger(units_of(run.initial_cash_usd), self._bars[first].opened_at)

    def run(self, advance: Advance = nothing_to_hear) -> Report:
        """Simulates all candles."""
        for number in range(self._first, self._end):
            bar = self._bars[number]
            acts = self._decision is not None and self._decision.type is not SignalType.HOLD
            self._quote(bar, bar.opened_at, bar.open, always=acts or number == self._first)
            if number == self._first:
                self._ledger.begin(self.desk.touch, bar.open, self._run)
            if acts and self._decision is not None:
                self._act(self._decision, bar)
            self._follow(bar)
            self._note(bar)
            # What is decided at the last end would be done at an open that is not known.
            self._decision = self._decided(number) if number + 1 < self._end else None
            advance(number - self._first + 1)
        return report_of(self._run, self.desk, self._ledger, self._market.missing(self._first, self._end))

    def _quote(self, bar: Bar, at: int, price: int, *, always: bool = False) -> None:
        if always or self._thorough or self.desk.is_reached_by(price):
            self.desk.quote(Quote(price, bar.volume, bar.volatility, at))

    def _follow(self, bar: Bar) -> None:
        """The prices within a candle. On the way to a price all prices between are met: a stop triggers at its own."""
        at, price = bar.opened_at, bar.open
        for then, target in path_of(bar, self._length_ms):
            while (stop := self.desk.stop_between(price, target)) is not None:
                at, price = at + (then - at) * (price - stop) // (price - target), stop
                self._quote(bar, at, price)
            self._quote(bar, then, target)
            at, price = then, target

    def _note(self, bar: Bar) -> None:
        desk = self.desk
        value = desk.cash + received(desk.coins, bar.close)
        self._ledger.note(Point(bar.opened_at + self._length_ms, value, desk.cash, bar.close))

    def _decided(self, number: int) -> Decision:
        market, run = self._market, self._run
        window = Window(
            symbol=run.bot.symbol,
            interval=market.interval,
            series=_part(market.series, max(0, number + 1 - WINDOW_CANDLES), number + 1),
            closed_at=moment_of(self._bars[number].opened_at + self._length_ms),
            price=market.closes[number],
        )
        decision = self._decide(run.bot.config, window, self._entries(), self._state)
        self._state = decision.state
        self._ledger.hear(decision.type)
        return decision

    def _entries(self) -> list[Entry]:
        return [Entry(each.quantity, each.price, each.opened_at, each.bracket.slot) for each in self.desk.held]

    def _act(self, decision: Decision, bar: Bar) -> None:
        """Does what was decided at the end of the candle before, at the open of this one."""
        price, at = decimal_of(bar.open, PRICE_SCALE), moment_of(bar.opened_at)
        entries = self._size(self._run, decision, self._entries(), price) if decision.type is SignalType.BUY else ()
        take_profits = [each.take_profit for each in self.desk.held if each.take_profit is not None]
        losses = losses_of(self._ledger.exits(self.desk, at), at)
        actions = orders_for(decision, self.desk.symbol, price, at, entries, take_profits, losses, self._brakes)
        problem = actions.ignored
        placed = 0
        for number, bracket in enumerate(actions.brackets):
            try:
                self.desk.place(bracket, entries[number].slot)
                placed += 1
            except Problem as refused:
                problem = refused.message
        for order_id, changes in actions.exits:
            try:
                self.desk.change(order_id, changes)
            except Problem as refused:
                problem = refused.message
        if decision.type is SignalType.BUY and not placed and problem is not None:
            self._ledger.ignore(problem)


def _part(series: Series, begin: int, end: int) -> Series:
    return Series(
        series.interval,
        series.times[begin:end],
        series.open[begin:end],
        series.high[begin:end],
        series.low[begin:end],
        series.close[begin:end],
        series.volume[begin:end],
    )

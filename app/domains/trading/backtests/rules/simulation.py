"""A bot over candles: what it decides at the end of each, and what comes of that at the paper exchange. Pure.

The same run over the same candles gives the same report to the byte: there is no clock and no randomness, IDs are
numbers, and all that is added up is in the order in which it happened.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeAlias

from app.domains.trading.backtests.model import CandlesMissing
from app.domains.trading.backtests.model.reports import Report, Run
from app.domains.trading.backtests.rules.market import Market
from app.domains.trading.backtests.rules.quotes import Bar, path_of
from app.domains.trading.backtests.rules.reporting import Ledger, Point, report_of
from app.domains.trading.backtests.rules.sandbox import Sandbox
from app.domains.trading.exchange.model import Quote
from app.domains.trading.exchange.rules.rounding import received
from app.domains.trading.quantities.rules import PRICE_SCALE, decimal_of, moment_of, units_of
from app.domains.trading.strategies.model import Arbitrage, Config, Decision, Entry, SignalType, State, Window
from app.domains.trading.strategies.rules.acting import (
    Actions,
    Brakes,
    Limits,
    SizedEntry,
    losses_of,
    orders_for,
    sized_entries,
)
from app.domains.trading.strategies.rules.deciding import decide as decide_by_strategy
from app.kit.errors import Problem

Decide: TypeAlias = Callable[[Config, Window, Sequence[Entry], State | None], Decision]
Advance: TypeAlias = Callable[[int], None]
"""Hears how many candles are done, after each. What it raises ends the run."""


def nothing_to_hear(_: int) -> None:
    """For whom progress does not matter."""


class Simulation:
    """One run, over the candles from one number until before another: those before are only seen.

    Prices that reach no order are not given to the exchange, unless it is `thorough`: that changes nothing.
    """

    def __init__(  # what a run depends on
        self,
        run: Run,
        market: Market,
        first: int,
        end: int,
        decide: Decide = decide_by_strategy,
        *,
        thorough: bool = False,
    ) -> None:
        if not 0 <= first < end <= len(market):
            raise CandlesMissing
        self._run = run
        self._market = market
        self._numbers = range(first, end)
        self._decide = decide
        self._thorough = thorough
        bot = run.bot
        self.sandbox = Sandbox(bot.symbol, units_of(run.initial_cash_usd), run.tier)
        self._ledger = Ledger(units_of(run.initial_cash_usd), market.bars[first].opened_at)
        self._limits = Limits(
            risk_level=bot.risk_level,
            max_position_usd=bot.max_position_usd,
            stop_loss_percentage=bot.stop_loss_percentage,
            take_profit_percentage=bot.take_profit_percentage,
        )
        self._brakes = Brakes(bot.daily_loss_limit_usd, bot.cool_down_ms)
        self._compares = isinstance(bot.config, Arbitrage)
        self._state: State | None = None

    def run(self, advance: Advance = nothing_to_hear) -> Report:
        """Simulates all candles."""
        market, numbers = self._market, self._numbers
        decision: Decision | None = None
        for number in numbers:
            bar = market.bars[number]
            if number == numbers.start:
                self._quote(bar, bar.opened_at, bar.open, always=True)
                self._ledger.begin(self.sandbox.touch, bar.open, self._run.tier)
            if decision is not None and decision.type is not SignalType.HOLD:
                self._quote(bar, bar.opened_at, bar.open, always=True)
                self._act(decision, bar)
            elif number > numbers.start:
                self._quote(bar, bar.opened_at, bar.open)
            self._follow(bar)
            self._note(bar)
            # What is decided at the last end would be done at an open that is not known.
            decision = self._decided(number) if number + 1 < numbers.stop else None
            advance(number - numbers.start + 1)
        return report_of(self.sandbox, self._ledger, market.missing(numbers.start, numbers.stop))

    def _quote(self, bar: Bar, at: int, price: int, *, always: bool = False) -> None:
        if always or self._thorough or self.sandbox.is_reached_by(price):
            self.sandbox.quote(Quote(price, bar.volume, bar.volatility, at))

    def _follow(self, bar: Bar) -> None:
        """The prices within a candle. On the way to a price all prices between are met: a stop triggers at its own."""
        at, price = bar.opened_at, bar.open
        for then, target in path_of(bar, self._market.length_ms):
            while (stop := self.sandbox.stop_between(price, target)) is not None:
                at, price = at + (then - at) * (price - stop) // (price - target), stop
                self._quote(bar, at, price)
            self._quote(bar, then, target)
            at, price = then, target

    def _note(self, bar: Bar) -> None:
        sandbox = self.sandbox
        value = sandbox.cash + received(sandbox.coins, bar.close)
        self._ledger.note(Point(bar.opened_at + self._market.length_ms, value, sandbox.cash, bar.close))

    def _decided(self, number: int) -> Decision:
        window = self._market.window(number, with_second=self._compares)
        decision = self._decide(self._run.bot.config, window, self._entries(), self._state)
        self._state = decision.state
        self._ledger.hear(decision.type)
        return decision

    def _entries(self) -> list[Entry]:
        return [Entry(each.quantity, each.price, each.opened_at, each.bracket.slot) for each in self.sandbox.held]

    def _act(self, decision: Decision, bar: Bar) -> None:
        """Does what was decided at the end of the candle before, at the open of this one."""
        entries, actions = self._actions(decision, decimal_of(bar.open, PRICE_SCALE), bar.opened_at)
        problem, is_bought = actions.ignored, False
        for entry, bracket in zip(entries, actions.brackets, strict=False):
            try:
                self.sandbox.place(bracket, entry.slot)
                is_bought = True
            except Problem as refused:
                problem = problem or refused.message
        for order_id, changes in actions.exits:
            try:
                self.sandbox.change(order_id, changes)
            except Problem as refused:
                problem = problem or refused.message
        if decision.type is SignalType.BUY and not is_bought:
            self._ledger.ignore(problem or "")

    def _actions(self, decision: Decision, price: Decimal, opened_at: int) -> tuple[list[SizedEntry], Actions]:
        sandbox, at = self.sandbox, moment_of(opened_at)
        bought = list[SizedEntry]()
        if decision.type is SignalType.BUY:
            bought = sized_entries(decision, self._run.bot.config, self._limits, self._entries(), price)
        take_profits = [each.take_profit for each in sandbox.held if each.take_profit is not None]
        losses = losses_of(self._ledger.exits(sandbox, at), at)
        return bought, orders_for(decision, sandbox.symbol, price, at, bought, take_profits, losses, self._brakes)

"""A bot over candles: what it decides at the end of each, and what comes of that at the paper exchange. Pure.

The same run over the same candles gives the same report to the byte: there is no clock and no randomness, IDs are
numbers, and all that is added up is in the order in which it happened.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeAlias

from app.domains.trading.backtests.model import CandlesMissing
from app.domains.trading.backtests.model.reports import Exit, Report, Run
from app.domains.trading.backtests.rules.market import Market
from app.domains.trading.backtests.rules.quotes import Bar, path_of
from app.domains.trading.backtests.rules.reporting import Ledger, Point, report_of
from app.domains.trading.backtests.rules.sandbox import Held, Sandbox
from app.domains.trading.exchange.model import Quote
from app.domains.trading.exchange.rules.rounding import received
from app.domains.trading.orders.model import NewBracket, OrderChanges
from app.domains.trading.quantities.rules import PRICE_SCALE, decimal_of, moment_of, units_of
from app.domains.trading.strategies.model import Arbitrage, Config, Decision, Entry, SignalType, State, Window
from app.domains.trading.strategies.rules.acting import (
    Act,
    Brakes,
    Standing,
    act_on,
    exit_price,
)
from app.domains.trading.strategies.rules.deciding import decide as decide_by_strategy
from app.domains.trading.strategies.rules.sizing import Limits, SizedEntry, sized_entries
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
            acts = decision is not None and decision.type is not SignalType.HOLD
            bare = [each for each in self.sandbox.held if each.is_unprotected_at(bar.open)]
            is_first = number == numbers.start
            self._quote(bar, bar.opened_at, bar.open, always=is_first or acts or bool(bare))
            if is_first:
                self._ledger.begin(self.sandbox.touch, bar.open, self._run.tier)
            self._sell(bare, bar.open, Exit.STOP_LOSS)
            if decision is not None and acts:
                self._act(decision, bar)
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
        if self.sandbox.is_idle and not self._thorough:
            return
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
        sandbox, price, at = self.sandbox, decimal_of(bar.open, PRICE_SCALE), moment_of(bar.opened_at)
        standing = Standing(
            is_holding=bool(sandbox.held),
            is_buying=sandbox.is_buying,
            losses=self._ledger.losses(sandbox, at),
        )
        entries: list[SizedEntry] = []
        if decision.type is SignalType.BUY:
            entries = sized_entries(decision, self._run.bot.config, self._limits, self._entries(), price)
        match act_on(decision, sandbox.symbol, standing, self._brakes, entries, at):
            case Act(brackets=[_, *_] as brackets):
                self._buy(brackets)
            case Act(sells=True):
                self._sell(sandbox.held, bar.open, Exit.SIGNAL)
            case Act(ignored=reason) if decision.type is SignalType.BUY:
                self._ledger.ignore(reason or "")

    def _buy(self, brackets: Sequence[tuple[int | None, NewBracket]]) -> None:
        problem, is_bought = "", False
        for slot, bracket in brackets:
            try:
                self.sandbox.place(bracket, slot)
                is_bought = True
            except Problem as refused:
                problem = problem or refused.message
        if not is_bought:
            self._ledger.ignore(problem)

    def _sell(self, entries: Sequence[Held], price: int, reason: Exit) -> None:
        """Replaces each take profit by one that is filled at once, which cancels its stop loss."""
        if not entries:
            return
        changes = OrderChanges(price=exit_price(decimal_of(price, PRICE_SCALE)))
        for held in entries:
            if held.take_profit is not None:
                with suppress(Problem):
                    self.sandbox.change(held.take_profit, changes, reason)

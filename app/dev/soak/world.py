"""A venue and its portfolios in memory. Steps ask as users do, and are matched as the matcher does it."""

from collections import Counter
from collections.abc import Iterable
from itertools import count
from typing import Final
from uuid import UUID

import msgspec

from app.dev.soak import model
from app.dev.soak.asking import Asking
from app.dev.soak.books import INITIAL, Books, Portfolio
from app.dev.soak.checks import Checks
from app.dev.soak.model import BASES, RATE, Broken, Step
from app.domains.trading.exchange.model import BookState, OpenOrder, Quote, Reason
from app.domains.trading.exchange.rules.fees import SCHEDULES
from app.domains.trading.journal.model import Account, Currency
from app.domains.trading.matching.model import (
    BookRow,
    Cancel,
    Close,
    Command,
    Delist,
    Halt,
    OrderRow,
    Price,
    Prices,
    Result,
    Resume,
)
from app.domains.trading.matching.rules.brackets import Brackets
from app.domains.trading.matching.rules.records import brackets_of, open_order_of, stored_book_of
from app.domains.trading.matching.rules.settlement import Settlement
from app.domains.trading.matching.rules.venue import Venue
from app.domains.trading.orders.model import OPEN, BracketRole, Fill
from app.domains.trading.quantities.rules import PRICE_SCALE, decimal_of, moment_of

BEGIN_MS: Final = 1_800_000_000_000
TWIN_BATCHES: Final = 10
"""For so long books that were rebuilt and those before are both asked everything."""
_OWNERS: Final = ((0, "USD"), (0, "AUD"), (1, "USD"), (2, "AUD"), (3, "USD"), (3, "USD"))
_TIERS: Final = tuple(SCHEDULES.values())


class World:
    """Four users, six portfolios, three tokens."""

    def __init__(self, books: Books | None = None) -> None:
        self.now = BEGIN_MS
        self.books = books or Books()
        self.venue = Venue(name="internal")
        self.portfolios = list[Portfolio]()
        self.inbox = list[tuple[Command, int]]()
        self.matched = Counter[str]()
        """How often what was done: to see what a history has met."""
        self._ids = count(1 << 64)
        self._seen = dict[str, Price]()
        self._twin: Venue | None = None
        self._twin_batches = 0
        self._asking = Asking(self)
        self._checks = Checks(self.books)
        for number, _ in enumerate(_OWNERS):
            self.portfolios.append(self._open(number))
        self.do(Step(model.Tick({each: (base, base * RATE // PRICE_SCALE) for each, base in BASES.items()}, 0, 0)))

    def new_id(self) -> UUID:
        """An ID that no order has."""
        return UUID(int=next(self._ids))

    def do(self, step: Step) -> None:
        """Does a step, matches, and checks all that it touched. Raises Broken, or whatever the rules do."""
        self.now += step.after_ms
        match step.action:
            case model.Restart():
                self.restart()
            case model.Pause():
                pass
            case model.Tick(prices, volume, volatility):
                noted = {
                    symbol: Price(Quote(usd, volume, volatility, self.now), aud, "soak")
                    for symbol, (usd, aud) in prices.items()
                }
                self._seen |= noted
                self._ask(Prices(noted))
            case model.Halt(symbol):
                self._ask(Halt(symbol))
            case model.Resume(symbol):
                self._ask(Resume(symbol))
            case model.Delist(symbol):
                self._ask(Delist(symbol, Reason.DELISTED))
            case model.Transfer(number, amount):
                self._transfer(self.portfolios[number], amount)
            case model.Close(number, deletes):
                self._close(self.portfolios[number], deletes)
            case action:
                if (command := self._asking.ask(action)) is not None:
                    self._ask(command)
        if step.is_matched:
            self._match()

    def price(self, symbol: str) -> Price | None:
        """The newest price, whether the exchange has it or is halted: orders arrive all the same."""
        return self._seen.get(symbol)

    def restart(self) -> None:
        """Goes on with books that are rebuilt, beside those before."""
        before, self.venue = self.venue, self._rebuilt()
        for symbol in BASES:
            one, other = before.book(symbol), self.venue.book(symbol)
            if (one.state, one.open_orders()) != (other.state, other.open_orders()):
                raise Broken("a book is rebuilt as it was", before=one.open_orders(), after=other.open_orders())
            if one.snapshot(1_000) != other.snapshot(1_000):
                raise Broken("a book is rebuilt with the same levels", symbol=symbol)
        self._twin, self._twin_batches = before, TWIN_BATCHES

    def audit(self) -> None:
        """Checks everything, what no step touched as well."""
        if self.inbox:
            self._match()
        self._checks.everything(self.venue)

    @property
    def closing(self) -> set[UUID]:
        """The portfolios that are being reset or deleted."""
        return {each.id for each in self.portfolios if each.closing is not None}

    def _ask(self, command: Command) -> None:
        self.inbox.append((command, self.now))

    def _match(self) -> None:
        asked, self.inbox = self.inbox, []
        results = self._apply(self.venue, asked)
        self._compare(asked, results)
        concerned = self.books.touched([command for command, _ in asked], results)
        touched, places, sold = concerned.orders, concerned.places, concerned.sold
        self._checks.outcomes(results)
        closing = [command.portfolio_id for command, _ in asked if isinstance(command, Close)]
        if touched:
            rows = [self.books.orders[each] for each in touched]
            portfolio_ids = {row.portfolio_id for row in rows} | set(closing)
            holdings = self.books.holdings(portfolio_ids, places, sold)
            settlement = Settlement(rows, holdings, count(1), self.new_id, moment_of(self.now))
            changed = [each.row for each in settlement.settle(results)]
            self.books.store(holdings, settlement.entries)
            spent = Counter[UUID | None]()
            for _, entry in settlement.entries:
                spent[entry.order_id] -= sum(each.amount for each in entry.lines if each.account is Account.CASH)
            for row in changed:
                self._checks.change(self.books.orders[row.id], row, settlement.fills, spent[row.id])
                self.books.note(row)
            self._count(settlement.fills)
            self._checks.touched(self.venue, changed, touched, places)
        for portfolio_id in closing:
            self._finish(portfolio_id)
        self._checks.symbols(self.venue, {each.symbol for each in results})

    def _count(self, fills: Iterable[Fill]) -> None:
        for fill in fills:
            row = self.books.orders[fill.order_id]
            self.matched[f"fill {row.type} {row.side} {fill.liquidity}"] += 1
            self.matched[f"fill {row.bracket_role}"] += 1
            if fill.counter_order_id is not None:
                self.matched["fill between users"] += 1
            if fill.fx_rate is not None and fill.fx_rate == row.reserve_rate:
                self.matched["fill beyond the buffer"] += 1

    def _apply(self, venue: Venue, asked: Iterable[tuple[Command, int]]) -> list[Result]:
        results = list[Result]()
        for command, at in asked:
            results += venue.apply(command, at)
        return results + venue.expire(self.now)

    def _compare(self, asked: Iterable[tuple[Command, int]], results: list[Result]) -> None:
        for result in results:
            for outcome in result.outcomes:
                self.matched[_name_of(outcome)] += 1
        if self._twin is None:
            return
        expected = self._apply(self._twin, asked)
        # A halt of all books meets them in the order in which they were begun.
        if sorted(results, key=_symbol) != sorted(expected, key=_symbol):
            raise Broken("rebuilt books continue as those before", expected=expected, found=results)
        self._twin_batches -= 1
        if not self._twin_batches:
            self._twin = None

    def _rebuilt(self) -> Venue:
        opened: dict[str, list[OpenOrder]] = {symbol: [] for symbol in BASES}
        entries = dict[UUID, UUID]()
        for row in self._open_rows():
            if row.priority is None:
                continue
            opened[row.symbol].append(open_order_of(row))
            if row.bracket_role == BracketRole.ENTRY and row.bracket_id is not None:
                entries[row.bracket_id] = row.id
        exits = [
            row
            for bracket_id in entries
            for each in self.books.brackets[bracket_id][1:]
            if (row := self.books.orders[each]).status in OPEN
        ]
        stored = [stored_book_of(self._book_row(symbol), opened[symbol]) for symbol in BASES]
        brackets = Brackets(brackets_of(entries, exits))
        return Venue(stored, brackets, name="internal", is_halted=self.venue.is_halted)

    def _open_rows(self) -> list[OrderRow]:
        return [self.books.orders[each] for opened in self.books.open.values() for each in opened]

    def _book_row(self, symbol: str) -> BookRow:
        state = msgspec.json.decode(msgspec.json.encode(self.venue.book(symbol).state), type=BookState)
        price, is_halted_alone = self.venue.prices.get(symbol), symbol in self.venue.halted_alone
        if price is None:
            return BookRow(symbol, msgspec.to_builtins(state), None, None, None, is_halted_alone)
        usd, aud = decimal_of(price.quote.price, PRICE_SCALE), decimal_of(price.aud, PRICE_SCALE)
        return BookRow(symbol, msgspec.to_builtins(state), price.source, usd, aud, is_halted_alone)

    def _open(self, number: int) -> Portfolio:
        owner, currency = _OWNERS[number]
        fees = _TIERS[owner % len(_TIERS)]
        id = self.new_id()
        portfolio = Portfolio(id, UUID(int=(1 << 96) + owner), Currency(currency), fees.taker, fees.maker)
        self.books.pay(portfolio, INITIAL)
        return portfolio

    def _transfer(self, portfolio: Portfolio, amount: int) -> None:
        if portfolio.closing is None and amount and self.books.available(portfolio.id) + amount >= 0:
            self.books.pay(portfolio, amount)
            self._checks.portfolio(portfolio.id)

    def _close(self, portfolio: Portfolio, deletes: bool) -> None:
        if portfolio.closing is not None:
            return
        portfolio.closing = deletes
        for order_id in self.books.open.get(portfolio.id, ()):
            self._ask(Cancel(self.books.orders[order_id].symbol, order_id, Reason.PORTFOLIO_CLOSED))
        self._ask(Close(portfolio.id))

    def _finish(self, portfolio_id: UUID) -> None:
        [number] = [at for at, each in enumerate(self.portfolios) if each.id == portfolio_id]
        portfolio = self.portfolios[number]
        self.books.end(portfolio)
        if portfolio.closing:
            self.portfolios[number] = self._open(number)
        else:
            portfolio.closing = None
            portfolio.life += 1
            self.books.pay(portfolio, INITIAL)
        self._checks.portfolio(portfolio_id)
        self.matched["closed"] += 1


def _name_of(outcome: object) -> str:
    reason = getattr(outcome, "reason", None)
    name = type(outcome).__name__.lower()
    return name if reason is None else f"{name} {reason}"


def _symbol(result: Result) -> str:
    return result.symbol

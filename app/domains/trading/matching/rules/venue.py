"""The books of a venue, and the brackets whose orders are in them. Pure: the same commands do the same."""

from collections.abc import Iterable, Iterator
from uuid import UUID

import msgspec
from msgspec.structs import replace

from app.domains.trading.exchange.model import (
    FINAL,
    BookState,
    Cancelled,
    OpenOrder,
    Outcome,
    Reason,
    Refused,
    Traded,
)
from app.domains.trading.exchange.rules.book import QUOTE_AGE_MS, Book
from app.domains.trading.matching.model import (
    Cancel,
    Close,
    Command,
    Delist,
    Halt,
    Market,
    PlaceOrder,
    Price,
    Prices,
    Relist,
    Replace,
    Result,
    Resume,
)
from app.domains.trading.matching.rules.brackets import Brackets
from app.domains.trading.quantities.rules import PRICE_SCALE


class StoredBook(msgspec.Struct, frozen=True):
    """What a book continues from."""

    state: BookState
    orders: list[OpenOrder]
    price: Price | None = None
    is_halted_alone: bool = False


class Venue:
    """All books of the internal exchange."""

    def __init__(
        self,
        books: Iterable[StoredBook] = (),
        brackets: Brackets | None = None,
        *,
        name: str,
        is_halted: bool = False,
        quote_age_ms: int = QUOTE_AGE_MS,
    ) -> None:
        self._name = name
        self._quote_age_ms = quote_age_ms
        self._brackets = brackets or Brackets()
        self._books = dict[str, Book]()
        self.prices = dict[str, Price]()
        """The last price of each book."""
        self.halted_alone = set[str]()
        """Books that are halted for themselves."""
        self.is_halted = is_halted
        self.now = 0
        """The newest time of a command. Time in books never goes back."""
        for stored in books:
            symbol = stored.state.symbol
            self._books[symbol] = Book(stored.state, stored.orders, quote_age_ms=quote_age_ms)
            if stored.price is not None:
                self.prices[symbol] = stored.price
            if stored.is_halted_alone:
                self.halted_alone.add(symbol)

    def book(self, symbol: str) -> Book:
        """The book of a token, which is begun if there is none."""
        found = self._books.get(symbol)
        if found is None:
            state = BookState(venue=self._name, symbol=symbol, is_halted=self.is_halted)
            found = self._books[symbol] = Book(state, quote_age_ms=self._quote_age_ms)
        return found

    def apply(self, command: Command, at: int) -> list[Result]:
        """Does what a command asks, in each book that it concerns."""
        self.now = max(self.now, at)
        return [self._result(symbol, command, outcomes) for symbol, outcomes in self._apply(command)]

    def expire(self, at: int) -> list[Result]:
        """Ends the orders whose time is over, in all books."""
        self.now = max(self.now, at)
        results = list[Result]()
        for symbol, book in self._books.items():
            if outcomes := book.expire(self.now):
                command = Prices({})
                results.append(self._result(symbol, command, outcomes))
        return results

    def _apply(self, command: Command) -> Iterator[tuple[str, list[Outcome]]]:
        match command:
            case PlaceOrder(symbol, order, exits):
                if exits:
                    self._brackets.add(order, exits)
                yield symbol, self.book(symbol).place(order, self.now)
            case Cancel(symbol, order_id, reason):
                held = self._brackets.drop_exit(order_id)
                yield symbol, [Cancelled(order_id, reason)] if held else self.book(symbol).cancel(order_id, reason)
            case Replace(symbol, order_id, changes):
                if self._brackets.is_held(order_id):
                    yield symbol, [Refused(order_id, Reason.LINKED)]
                else:
                    yield symbol, self.book(symbol).replace(order_id, changes, self.now)
            case Prices(prices):
                for symbol, price in prices.items():
                    yield from self._price(symbol, price)
            case Halt(symbol):
                yield from self._halt(symbol)
            case Resume(symbol):
                yield from self._resume(symbol)
            case Delist(symbol) | Relist(symbol):
                yield symbol, self._list(command, symbol)
            case Close():
                return

    def _price(self, symbol: str, price: Price) -> Iterator[tuple[str, list[Outcome]]]:
        """A price of a halt is not one that the market opens with."""
        if not self.is_halted and symbol not in self.halted_alone:
            self.prices[symbol] = price
        yield symbol, self.book(symbol).meet(price.quote, self.now)
        yield from self._trigger(symbol)

    def _trigger(self, symbol: str) -> Iterator[tuple[str, list[Outcome]]]:
        """Triggers stops one by one: what is bought meanwhile is added to the exits that protect it."""
        book = self.book(symbol)
        while (stop := book.reached()) is not None:
            entry = self._brackets.open_entry_of(stop.order.id)
            if entry is not None and book.get(entry) is not None:
                # First, so that a stop loss does not meet it.
                yield symbol, book.cancel(entry, Reason.LINKED)
            yield symbol, book.trigger(stop, self.now)

    def _halt(self, symbol: str | None) -> Iterator[tuple[str, list[Outcome]]]:
        if symbol is None:
            self.is_halted = True
            for each, book in self._books.items():
                self.prices.pop(each, None)
                yield each, book.halt()
        else:
            self.halted_alone.add(symbol)
            self.prices.pop(symbol, None)
            yield symbol, self.book(symbol).halt()

    def _resume(self, symbol: str | None) -> Iterator[tuple[str, list[Outcome]]]:
        if symbol is None:
            self.is_halted = False
            for each, book in self._books.items():
                if each not in self.halted_alone:
                    yield each, book.resume()
        else:
            self.halted_alone.discard(symbol)
            yield symbol, [] if self.is_halted else self.book(symbol).resume()

    def _list(self, command: Delist | Relist, symbol: str) -> list[Outcome]:
        """Ends a book; or begins it anew, with the next price, without the orders, the quote and what was taken."""
        if isinstance(command, Delist):
            self.prices.pop(symbol, None)
            return self.book(symbol).delist(command.reason)
        state = self.book(symbol).state
        if state.is_delisted:
            anew = BookState(
                venue=state.venue,
                symbol=symbol,
                next_priority=state.next_priority,
                is_halted=self.is_halted or symbol in self.halted_alone,
            )
            self._books[symbol] = Book(anew, quote_age_ms=self._quote_age_ms)
            self.prices.pop(symbol, None)
        return []

    def _result(self, symbol: str, command: Command, outcomes: list[Outcome]) -> Result:
        followed = self._followed(symbol, outcomes)
        has_traded = any(isinstance(each, Traded) for each in followed)
        return Result(symbol, command, self._market(symbol) if has_traded else None, followed)

    def _market(self, symbol: str) -> Market | None:
        book, price = self.book(symbol), self.prices.get(symbol)
        if price is None or book.touch is None:
            return None
        bid, ask = book.touch
        return Market(bid, ask, price.quote.at, price.aud * PRICE_SCALE // price.quote.price, price.source)

    def _followed(self, symbol: str, outcomes: list[Outcome]) -> list[Outcome]:
        """These outcomes, and what they do to brackets, and what that does."""
        if not self._brackets:
            return outcomes
        at = 0
        while at < len(outcomes):
            new, at = outcomes[at:], len(outcomes)
            traded = _traded(new)
            # First: the exits of others that are placed then must not meet an entry that is to end.
            for order_id in traded:
                self._end_entry(symbol, order_id, outcomes)
            for order_id, quantity in traded.items():
                self._fill(symbol, order_id, quantity, outcomes)
            for outcome in new:
                if isinstance(outcome, FINAL):
                    held = self._brackets.end(outcome.order_id)
                    outcomes += [Cancelled(each.id, Reason.LINKED) for each in held]
        return outcomes

    def _fill(self, symbol: str, order_id: UUID, quantity: int, outcomes: list[Outcome]) -> None:
        bracket = self._brackets.of_entry(order_id)
        if bracket is None:
            return
        # Exits that wait are placed once, and grow from then on.
        book = self.book(symbol)
        outcomes += book.grow(bracket.link, quantity)
        for exit in self._brackets.take_held(bracket):
            outcomes += book.place(replace(exit, quantity=quantity), self.now, is_exit=True)

    def _end_entry(self, symbol: str, exit_id: UUID, outcomes: list[Outcome]) -> None:
        """If it is an exit that was filled, nothing more is bought."""
        entry = self._brackets.open_entry_of(exit_id)
        if entry is not None and self.book(symbol).get(entry) is not None:
            outcomes += self.book(symbol).cancel(entry, Reason.LINKED)


def _traded(outcomes: Iterable[Outcome]) -> dict[UUID, int]:
    """What was traded, by order."""
    sums: dict[UUID, int] = {}
    for outcome in outcomes:
        if isinstance(outcome, Traded):
            for order_id in (outcome.taker_id, outcome.maker_id):
                if order_id is not None:
                    sums[order_id] = sums.get(order_id, 0) + outcome.quantity
    return sums

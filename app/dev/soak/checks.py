"""What must hold after every step, whatever happened."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec

from app.dev.soak.books import Books
from app.dev.soak.model import BASES, Broken
from app.domains.trading.exchange.model import FINAL, Outcome, Reason, Refused, Replaced, Traded
from app.domains.trading.journal.model import Account
from app.domains.trading.journal.rules.holdings import PositionKey
from app.domains.trading.matching.model import OrderRow, Replace, Result
from app.domains.trading.matching.rules.venue import Venue
from app.domains.trading.orders.model import OPEN, BracketRole, Fill, OrderStatus
from app.domains.trading.orders.rules.reservation import need
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE, units_of

_EXITS: Final = (BracketRole.TAKE_PROFIT, BracketRole.STOP_LOSS)


class Seen(msgspec.Struct):
    """An order by what the books said of it."""

    owner: UUID
    side: Side
    worst: int | None
    limit: int | None
    filled: int = 0
    final: Outcome | None = None


class Checks:
    """Watches rows, outcomes and the journal."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._seen = dict[UUID, Seen]()

    def outcomes(self, results: Iterable[Result]) -> None:
        """Prices, owners and ends of what the books did."""
        for result in results:
            for outcome in result.outcomes:
                match outcome:
                    case Refused():
                        continue
                    case Traded():
                        self._trade(outcome)
                    case _:
                        self._happen(result, outcome.order_id, outcome)

    def change(self, before: OrderRow, after: OrderRow, fills: Iterable[Fill], spent: int) -> None:
        """A row that matching has changed."""
        id, seen = after.id, self._of(after.id)
        if before.status not in OPEN and (before.status, before.filled_quantity) != (
            after.status,
            after.filled_quantity,
        ):
            raise Broken("an order that has ended stays as it is", before=before, after=after)
        if (after.status not in OPEN) is not (seen.final is not None):
            raise Broken("an order has ended exactly if its book said so", order=after, said=seen.final)
        if units_of(after.filled_quantity) != seen.filled:
            raise Broken("an order is filled by its trades", order=after, traded=seen.filled)
        if after.quantity is not None and after.filled_quantity > after.quantity:
            raise Broken("an order is filled by its quantity at most", order=after)
        if after.quote_amount is not None and after.filled_quote > after.quote_amount:
            raise Broken("an order is filled by its amount at most", order=after)
        _check_status(after)
        own = [each for each in fills if each.order_id == id]
        if sum((each.quantity for each in own), before.filled_quantity) != after.filled_quantity:
            raise Broken("an order is filled by its fills", order=after, fills=own)
        held = before.reserved + before.reserved_for_changes
        released = units_of(held - after.reserved - after.reserved_for_changes)
        if after.side == Side.BUY and spent > released:
            raise Broken("a purchase takes no more than it releases", order=after, spent=spent, released=released)

    def touched(
        self, venue: Venue, changed: Iterable[OrderRow], touched: Iterable[UUID], places: Iterable[PositionKey]
    ) -> None:
        """Orders, brackets and portfolios that a batch concerned."""
        orders, brackets = self._books.orders, set[UUID]()
        for row in changed:
            self._order(venue, row)
        for order_id in touched:
            row = orders[order_id]
            if row.bracket_id is not None:
                brackets.add(row.bracket_id)
        for bracket_id in brackets:
            self._bracket(venue, [orders[each] for each in self._books.brackets[bracket_id]])
        for portfolio_id in {place[0] for place in places}:
            self.portfolio(portfolio_id)
        for place in places:
            self._position(place)

    def symbols(self, venue: Venue, symbols: Iterable[str]) -> None:
        """The books."""
        for symbol in symbols:
            snapshot = venue.book(symbol).snapshot(1)
            if snapshot.bids and snapshot.asks and snapshot.bids[0].price >= snapshot.asks[0].price:
                raise Broken("a book is not crossed", symbol=symbol, bid=snapshot.bids[0], ask=snapshot.asks[0])

    def everything(self, venue: Venue) -> None:
        """All that there is."""
        books = self._books
        for portfolio_id in books.cash:
            self.portfolio(portfolio_id)
        for place in books.positions:
            self._position(place)
        for opened in books.open.values():
            for order_id in opened:
                self._order(venue, books.orders[order_id])
        for bracket in books.brackets.values():
            self._bracket(venue, [books.orders[each] for each in bracket])
        total = Counter[str]()
        for (account, owner, asset), amount in books.sums.items():
            total[asset] += amount
            held = {
                Account.CASH: owner in books.cash,
                Account.POSITION: (owner, asset) in books.positions,
            }
            if amount and not held.get(account, True):
                raise Broken("what the journal has somewhere is there", account=account, asset=asset, amount=amount)
        if any(total.values()):
            raise Broken("the world has as much as it had: nothing", total=total)
        booked = {each.order.id for symbol in BASES for each in venue.book(symbol).open_orders()}
        placed = {id for opened in books.open.values() for id in opened if books.orders[id].priority is not None}
        if booked != placed:
            raise Broken("the books have the orders that are open", only_there=booked - placed, missing=placed - booked)

    def portfolio(self, portfolio_id: UUID) -> None:
        """The cash of a portfolio."""
        cash = self._books.cash.get(portfolio_id)
        if cash is None:
            return
        if not 0 <= cash.reserved <= cash.balance:
            raise Broken("cash is not negative, nor is what is available", cash=cash)
        opened = self._books.open.get(portfolio_id, {})
        needed = sum(each.units for each in opened.values() if each.side is Side.BUY)
        if needed != units_of(cash.reserved):
            raise Broken("cash is reserved for open orders", cash=cash, needed=needed)
        journal = sum(self._books.sums[Account.CASH, portfolio_id, currency] for currency in ("USD", "AUD"))
        if journal != units_of(cash.balance):
            raise Broken("cash is what the journal says", cash=cash, journal=journal)

    def _position(self, place: PositionKey) -> None:
        row = self._books.positions.get(place)
        lots = self._books.lots.get(place, ())
        journal = self._books.sums[Account.POSITION, place[0], place[1]]
        needed = sum(
            each.units
            for each in self._books.open.get(place[0], {}).values()
            if each.side is Side.SELL and each.symbol == place[1]
        )
        if row is None:
            if lots or journal or needed:
                raise Broken("a position that is used is there", place=place, lots=lots, journal=journal)
            return
        if not 0 <= row.reserved <= row.quantity:
            raise Broken("a position is not negative, nor is what is available", position=row)
        if needed != units_of(row.reserved):
            raise Broken("coins are reserved for open orders", position=row, needed=needed)
        if journal != units_of(row.quantity):
            raise Broken("a position is what the journal says", position=row, journal=journal)
        held = sum((each.remaining for each in lots), Decimal(0))
        cost = sum((each.remaining_cost for each in lots), Decimal(0))
        if (held, cost) != (row.quantity, row.cost):
            raise Broken("lots add up to their position", position=row, held=held, cost=cost)
        if row.cost < 0 or any(each.remaining <= 0 or each.remaining_cost < 0 for each in lots):
            raise Broken("a cost is not negative", position=row)

    def _order(self, venue: Venue, row: OrderRow) -> None:
        booked = venue.book(row.symbol).get(row.id)
        if row.reserved_for_changes:
            raise Broken("nothing is reserved for changes that are decided", order=row)
        if row.status not in OPEN:
            if row.reserved or booked is not None:
                raise Broken("what has ended reserves nothing, and is in no book", order=row)
            return
        if (booked is None) is not (row.priority is None):
            raise Broken("an open order is in its book once it was matched", order=row, booked=booked)
        if booked is not None:
            assert row.quantity is not None
            left = units_of(row.quantity - row.filled_quantity)
            if (booked.left, booked.priority) != (left, row.priority):
                raise Broken("a row is what its book has", order=row, booked=booked)
        if row.bracket_role not in _EXITS and units_of(row.reserved) != _need(row):
            raise Broken("an order reserves what it needs", order=row, needed=_need(row))

    def _bracket(self, venue: Venue, rows: list[OrderRow]) -> None:
        """The entry, the stop loss and the take profit of a bracket."""
        entry, stop_loss, take_profit = rows
        exits = (take_profit, stop_loss)
        placed = [each for each in exits if each.status in OPEN and each.priority is not None]
        held = [each for each in exits if each.status in OPEN and each.priority is None]
        bought, sold = entry.filled_quantity, sum((each.filled_quantity for each in exits), Decimal(0))
        if held and (bought or entry.status not in OPEN):
            raise Broken("exits wait while their entry is open and has not filled anything", entry=entry, exits=held)
        for at, each in enumerate(placed):
            assert each.quantity is not None
            left = each.quantity - each.filled_quantity
            if left != bought - sold:
                raise Broken("an exit sells what the entry bought", entry=entry, exit=each, sold=sold)
            if each.reserved != (0 if at else left):
                raise Broken("exits reserve once", exits=placed)
        if any(each.triggered_at is not None or each.filled_quantity for each in exits) and entry.status in OPEN:
            raise Broken("nothing more is bought once an exit has been used", entry=entry, exits=exits)
        if sold > bought:
            raise Broken("exits sell no more than was bought", rows=rows)
        if sold < bought and any(each.status == OrderStatus.FILLED for each in exits):
            raise Broken("an exit that is filled has sold all", rows=rows)

    def _trade(self, traded: Traded) -> None:
        taker = None if traded.taker_id is None else self._of(traded.taker_id)
        maker = None if traded.maker_id is None else self._of(traded.maker_id)
        if taker is not None and maker is not None and taker.owner == maker.owner:
            raise Broken("nobody trades with himself", traded=traded)
        for each in (taker, maker):
            if each is not None:
                each.filled += traded.quantity
                if each.final is not None:
                    raise Broken("nothing happens to an order that has ended", traded=traded, final=each.final)
        if taker is not None and taker.worst is not None and _worse(taker.side, traded.price, taker.worst):
            raise Broken("nothing is filled beyond its worst price", traded=traded, worst=taker.worst)
        if maker is not None and traded.price != maker.limit:
            raise Broken("who waits trades at the own price", traded=traded, own=maker.limit)

    def _happen(self, result: Result, order_id: UUID, outcome: Outcome) -> None:
        seen = self._of(order_id)
        if seen.final is not None:
            raise Broken("nothing happens to an order that has ended", outcome=outcome, final=seen.final)
        if isinstance(outcome, FINAL):
            seen.final = outcome
        if isinstance(outcome, Replaced) and outcome.reason is Reason.REQUESTED and isinstance(result.command, Replace):
            changes = result.command.changes
            if changes.price is not None:
                seen.worst = seen.limit = changes.price
            elif changes.protection_price is not None:
                seen.worst = changes.protection_price

    def _of(self, order_id: UUID) -> Seen:
        found = self._seen.get(order_id)
        if found is None:
            row = self._books.orders[order_id]
            price = None if row.price is None else units_of(row.price, PRICE_SCALE)
            bound = None if row.protection_price is None else units_of(row.protection_price, PRICE_SCALE)
            seen = Seen(row.owner, Side(row.side), bound if price is None else price, price)
            found = self._seen[order_id] = seen
        return found


def _worse(side: Side, price: int, worst: int) -> bool:
    return price > worst if side is Side.BUY else price < worst


def _check_status(row: OrderRow) -> None:
    """As the constraints of the table say it."""
    is_filled, has_ended = bool(row.filled_quantity), row.status not in OPEN
    fits = {
        OrderStatus.PENDING: not is_filled,
        OrderStatus.PARTIAL: is_filled,
        OrderStatus.FILLED: is_filled,
        OrderStatus.REJECTED: not is_filled,
    }.get(OrderStatus(row.status), True)
    has_reason = row.reason is not None
    if not fits or has_reason is not (has_ended and row.status != OrderStatus.FILLED):
        raise Broken("a status says what was filled and why it ended", order=row)
    if (row.filled_at is not None) is not (row.status == OrderStatus.FILLED):
        raise Broken("an order has a time of its fill exactly if it is filled", order=row)
    if (row.cancelled_at is not None) is not (has_ended and row.status != OrderStatus.FILLED):
        raise Broken("an order has a time of its end exactly if it ended otherwise", order=row)
    if row.quantity is not None and row.quantity <= 0:
        raise Broken("an order has a quantity", order=row)


def _need(row: OrderRow) -> int:
    if row.side == Side.SELL:
        whole = row.bound if row.quantity is None else row.quantity
        return units_of((whole or Decimal(0)) - row.filled_quantity)
    worst = row.protection_price if row.price is None else row.price
    return need(
        Side.BUY,
        0 if row.quantity is None else units_of(row.quantity - row.filled_quantity),
        worst_price=0 if worst is None else units_of(worst, PRICE_SCALE),
        amount=None if row.quote_amount is None else units_of(row.quote_amount - row.filled_quote),
        taker_fee=units_of(row.taker_fee_fraction),
        reserve_rate=None if row.reserve_rate is None else units_of(row.reserve_rate, PRICE_SCALE),
    )

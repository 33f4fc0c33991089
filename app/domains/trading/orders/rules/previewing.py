"""What an order would do at once, in words of its owner: costs, fees, how far from the house's price. Pure."""

from collections.abc import Iterable
from decimal import Decimal

from app.domains.trading.exchange.model import Cancelled, Expired, Order, Outcome, Rejected, Rested, Traded
from app.domains.trading.exchange.rules.checks import quantity_taken_on
from app.domains.trading.exchange.rules.fees import fee_at
from app.domains.trading.exchange.rules.rounding import converted_cost, converted_proceeds, paid, received
from app.domains.trading.journal.model import Currency
from app.domains.trading.orders.model import OrderPreview
from app.domains.trading.orders.rules.placing import Planned
from app.domains.trading.orders.rules.reservation import need
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE, decimal_of


class _Tally:
    """What trades cost, one after the other: as they will be charged."""

    def __init__(self, planned: Planned, rate: int | None) -> None:
        self._planned = planned
        self._rate = rate
        self._left = quantity_taken_on(planned.order)
        self._amount = planned.order.amount
        self.quantity = self.value = self.quote = self.fee = self.total = 0

    def add(self, quantity: int, price: int) -> None:
        """One trade, as a taker."""
        order, fraction = self._planned.order, self._planned.fees.taker
        self.value += quantity * price
        if order.side is Side.SELL:
            quote = received(quantity, price)
            fee = min(fee_at(fraction, quote), quote)
            total = quote - fee if self._rate is None else converted_proceeds(quote - fee, self._rate)
        else:
            high = paid(quantity, price)
            budget = self._freed(quantity, high, None)
            quote = max(received(quantity, price), min(high, budget))
            fee = max(0, min(fee_at(fraction, quote), budget - quote))
            total = quote + fee
            if self._rate is not None:
                most = self._freed(quantity, high, self._planned.reserve_rate)
                total = max(converted_proceeds(total, self._rate), min(converted_cost(total, self._rate), most))
        self._left -= quantity
        if self._amount is not None:
            self._amount = max(0, self._amount - quote)
        self.quantity += quantity
        self.quote += quote
        self.fee += fee
        self.total += total

    def _freed(self, quantity: int, spent: int, rate: int | None) -> int:
        """What a purchase no longer needs after a trade."""
        after = None if self._amount is None else max(0, self._amount - spent)
        return self._need(self._left, self._amount, rate) - self._need(self._left - quantity, after, rate)

    def _need(self, left: int, amount: int | None, rate: int | None) -> int:
        order = self._planned.order
        worst = order.protection_price if order.price is None else order.price
        fee = self._planned.fees.taker
        return need(order.side, left, worst_price=worst, amount=amount, taker_fee=fee, reserve_rate=rate)


def previewed(
    planned: Planned, outcomes: Iterable[Outcome], currency: Currency, rate: int | None, mid: int
) -> OrderPreview:
    """What these outcomes of placing an order are to its owner. `rate` is that in force, null in dollars."""
    order = planned.order
    if rate is not None and planned.reserve_rate is not None and order.side is Side.BUY:
        rate = min(rate, planned.reserve_rate)
    tally, reason, rests = _Tally(planned, rate), None, False
    for outcome in outcomes:
        match outcome:
            case Traded(taker_id, _, _, price, quantity) if taker_id == order.id:
                tally.add(quantity, price)
            case Rested(order_id) if order_id == order.id:
                rests = True
            case Cancelled() | Rejected() | Expired() if outcome.order_id == order.id:
                reason = outcome.reason
    return OrderPreview(
        reason=reason,
        currency=currency,
        quantity=decimal_of(tally.quantity),
        average_price=_average(tally),
        quote_quantity=decimal_of(tally.quote),
        fee=decimal_of(tally.fee),
        total=decimal_of(tally.total),
        slippage_fraction=_slippage(order, tally, mid),
        reserved=decimal_of(planned.reserved),
        price=decimal_of(mid, PRICE_SCALE),
        rests=rests,
    )


def _average(tally: _Tally) -> Decimal | None:
    """As the order will have it: what was paid or received for each coin, to 12 decimals."""
    if not tally.quantity:
        return None
    return decimal_of((2 * tally.quote * PRICE_SCALE + tally.quantity) // (2 * tally.quantity), PRICE_SCALE)


def _slippage(order: Order, tally: _Tally, mid: int) -> Decimal | None:
    """How much worse the trades are than the house's price, as a fraction of it."""
    if not tally.quantity:
        return None
    worse = tally.value - tally.quantity * mid
    if order.side is Side.SELL:
        worse = -worse
    return decimal_of(worse * COIN // (tally.quantity * mid))

"""What an arriving order meets: users' orders and the house's ladder together, the best price first."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from app.domains.trading.exchange.model import Level, OpenOrder, Order, Reason
from app.domains.trading.exchange.rules.queues import Row
from app.domains.trading.exchange.rules.rounding import affordable, cost
from app.domains.trading.quantities.model import Side


class Step(NamedTuple):
    """One trade. Without a maker it is the house's."""

    maker: OpenOrder | None
    price: int
    quantity: int


class Walk(NamedTuple):
    """What an order would trade, and why it would stop: None if it would be filled."""

    steps: list[Step]
    end: Reason | None


def walk(order: Order, left: int, rows: Sequence[Row], levels: Sequence[Level]) -> Walk:
    """Plans an order's trades; nothing is changed. `rows` and `levels` have the best at their end.

    At an equal price users are first. The order stops at its limit or protection price, and before its owner's own
    order: of two that would trade with each other the newest is cancelled, which is the one that arrives.
    """
    steps: list[Step] = []
    sign = 1 if order.side is Side.BUY else -1
    worst = order.protection_price if order.price is None else order.price
    bound = None if worst is None else sign * worst
    amount = order.amount
    of_links: dict[UUID, int] = {}
    user, house = len(rows) - 1, len(levels) - 1
    while left > 0:
        maker, price = None, 0
        if user >= 0:
            key, _, maker = rows[user]
            # The rows of those that buy are sorted by their prices, the others by the negative of them.
            price = -sign * key
        if house >= 0 and (maker is None or sign * levels[house].price < sign * price):
            maker, price, offered = None, levels[house].price, levels[house].quantity
            house -= 1
        elif maker is None:
            return Walk(steps, Reason.NO_DEPTH)
        else:
            offered = maker.left
            user -= 1
        if bound is not None and sign * price > bound:
            return Walk(steps, Reason.PROTECTION)
        if maker is not None:
            if maker.order.owner == order.owner:
                return Walk(steps, Reason.SELF_TRADE)
            if (link := maker.order.link) is not None:
                # The exits of one bracket have one quantity.
                taken = of_links.get(link, 0)
                offered = max(0, offered - taken)
                of_links[link] = taken + min(offered, left)
        quantity = min(offered, left)
        if amount is not None:
            wanted = affordable(amount, price)
            quantity = min(quantity, wanted)
            amount -= cost(order.side, quantity, price)
        if quantity:
            steps.append(Step(maker, price, quantity))
            left -= quantity
        if amount is not None and quantity == wanted:
            break
    return Walk(steps, None)

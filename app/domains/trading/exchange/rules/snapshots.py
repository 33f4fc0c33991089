"""The levels of a book as people look at it."""

from collections.abc import Sequence

from app.domains.trading.exchange.model import Level
from app.domains.trading.exchange.rules.queues import Queue
from app.domains.trading.quantities.model import Side


def aggregated(queue: Queue, house: Sequence[Level], most: int, side: Side) -> list[Level]:
    """The best levels of one side, orders of one price as one level; `house` has its best at the end."""
    sign = 1 if side is Side.SELL else -1
    users = iter(queue)
    user, at = next(users, None), len(house) - 1
    levels = list[Level]()
    while user is not None or at >= 0:
        prices = [house[at].price] if at >= 0 else []
        if user is not None and user.order.price is not None:
            prices.append(user.order.price)
        price = min(prices, key=lambda each: sign * each)
        if len(levels) == most:
            break
        quantity = 0
        while user is not None and user.order.price == price:
            quantity += user.left
            user = next(users, None)
        while at >= 0 and house[at].price == price:
            quantity += house[at].quantity
            at -= 1
        levels.append(Level(price, quantity))
    return levels

"""What an order by amount spends, to the unit."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.domains.trading.exchange.model import OpenOrder, Order, OrderType, Reason
from app.domains.trading.exchange.rules.queues import resting
from app.domains.trading.exchange.rules.rounding import MAX_UNITS, affordable, cost
from app.domains.trading.exchange.rules.walk import Walk, walk
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE
from tests.domains.trading.exchange.stage import ALICE, BOB

MAKERS = st.lists(st.tuples(st.integers(1, 10**9), st.integers(1, 10**5)), min_size=1, max_size=12)


def walked(side: Side, amount: int, makers: list[tuple[int, int]], owner: UUID = BOB) -> Walk:
    other = Side.SELL if side is Side.BUY else Side.BUY
    queue = resting(other)
    for number, (quantity, thousandths) in enumerate(makers):
        price = thousandths * PRICE_SCALE // 1000
        order = Order(
            id=UUID(int=number), owner=owner, side=other, type=OrderType.LIMIT, quantity=quantity, price=price
        )
        queue.add(OpenOrder(order, quantity, number))
    taker = Order(id=UUID(int=999), owner=ALICE, side=side, type=OrderType.MARKET, amount=amount)
    return walk(taker, MAX_UNITS, queue.rows, [])


@given(st.sampled_from(Side), st.integers(1, 10**10), MAKERS)
def test_an_amount_is_never_exceeded_and_no_further_unit_would_fit(
    side: Side, amount: int, makers: list[tuple[int, int]]
) -> None:
    found = walked(side, amount, makers)
    spent = sum(cost(side, step.quantity, step.price) for step in found.steps)
    assert spent <= amount
    assert all(step.quantity > 0 for step in found.steps)
    if found.end is None and found.steps:
        *_, last = found.steps
        before = amount - sum(cost(side, step.quantity, step.price) for step in found.steps[:-1])
        assert last.quantity <= affordable(before, last.price)
        if last.quantity < affordable(before, last.price):
            # It was all that this maker had. Nothing was left for the next.
            sign = 1 if side is Side.BUY else -1
            following = sorted(sign * at for _, at in makers)[len(found.steps)]
            assert affordable(amount - spent, sign * following * PRICE_SCALE // 1000) == 0
    elif found.end is not None:
        assert found.end is Reason.NO_DEPTH
        assert sum(step.quantity for step in found.steps) == sum(quantity for quantity, _ in makers)


def test_each_of_many_tiny_trades_is_paid_up() -> None:
    """Half a unit of dollars each: ten units of amount pay for ten of them, not for twenty."""
    found = walked(Side.BUY, 10, [(1, 500)] * 20)
    assert sum(cost(Side.BUY, step.quantity, step.price) for step in found.steps) == 10
    assert len(found.steps) == 10


def test_an_amount_that_is_used_up_by_the_last_order_is_filled() -> None:
    for side in Side:
        assert walked(side, 1_000, [(1_000, 1_000)]).end is None
        assert walked(side, 1_001, [(1_000, 1_000)]).end is Reason.NO_DEPTH


def test_an_amount_that_is_used_up_does_not_go_on_at_a_worse_price() -> None:
    """A sale could find one more unit at a lower price for what is left by rounding."""
    found = walked(Side.SELL, 1_003, [(100, 10_000), (100, 1)])
    assert [(step.price, step.quantity) for step in found.steps] == [(10 * PRICE_SCALE, 100)]
    assert found.end is None

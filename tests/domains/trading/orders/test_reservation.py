"""What an order reserves, in whole numbers."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.trading.exchange.rules.fees import fee_at
from app.domains.trading.exchange.rules.rounding import converted_cost, paid
from app.domains.trading.orders.rules.reservation import need, reserve_rate_at
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE

QUANTITIES = st.integers(1, 10**16) | st.integers(1, 1000)
PRICES = st.integers(1, 10**18) | st.integers(1, 10**6)
FEES = st.sampled_from([0, 100_000, 160_000, 200_000])
RATES = st.none() | st.integers(PRICE_SCALE // 10, 3 * PRICE_SCALE)


@dataclass(frozen=True)
class Buy:
    """A buy with a worst price."""

    worst: int
    fee: int
    rate: int | None

    def need(self, left: int) -> int:
        return need(Side.BUY, left, worst_price=self.worst, amount=None, taker_fee=self.fee, reserve_rate=self.rate)

    def cost(self, quantity: int, price: int) -> int:
        """What a fill costs, rounded up at each step."""
        dollars = paid(quantity, price)
        dollars += fee_at(self.fee, dollars)
        return dollars if self.rate is None else converted_cost(dollars, self.rate)

    def floor(self, quantity: int, price: int) -> int:
        """What it costs rounded down at each step."""
        dollars = quantity * price // PRICE_SCALE
        dollars += dollars * self.fee // COIN
        return dollars if self.rate is None else dollars * self.rate // PRICE_SCALE


BUYS = st.builds(Buy, PRICES, FEES, RATES)


def _need(
    side: Side, left: int, *, worst: int | None = None, amount: int | None = None, fee: int = 0, rate: int | None = None
) -> int:
    return need(side, left, worst_price=worst, amount=amount, taker_fee=fee, reserve_rate=rate)


def test_a_buy_reserves_its_worst_price_and_the_fee_of_a_taker() -> None:
    assert _need(Side.BUY, 2 * COIN, worst=50 * PRICE_SCALE, fee=200_000) == 100 * COIN + COIN // 5


def test_each_part_is_rounded_up() -> None:
    # 3 units at 1/3 of a dollar are less than one unit and a fee less than one: one unit each.
    assert _need(Side.BUY, 1, worst=PRICE_SCALE // 3, fee=1) == 2
    assert _need(Side.BUY, 1, worst=PRICE_SCALE // 3, fee=1, rate=3 * PRICE_SCALE // 2 + 1) == 4


def test_another_currency_is_reserved_at_its_rate() -> None:
    assert _need(Side.BUY, COIN, worst=100 * PRICE_SCALE, rate=153 * PRICE_SCALE // 100) == 153 * COIN


def test_a_buy_by_amount_reserves_the_amount_and_its_fee() -> None:
    assert _need(Side.BUY, 5, worst=PRICE_SCALE, amount=100 * COIN, fee=100_000) == 100 * COIN + COIN // 10


def test_a_sell_reserves_its_coins_alone() -> None:
    assert _need(Side.SELL, 7, worst=50 * PRICE_SCALE, amount=3, fee=200_000, rate=PRICE_SCALE * 2) == 7


@pytest.mark.parametrize("side", Side)
def test_nothing_is_needed_for_what_is_filled(side: Side) -> None:
    assert _need(side, 0, worst=PRICE_SCALE, fee=200_000, rate=PRICE_SCALE * 2) == 0


def test_the_rate_has_a_buffer_of_two_percent_rounded_up() -> None:
    assert reserve_rate_at(100 * PRICE_SCALE, 150 * PRICE_SCALE) == 153 * PRICE_SCALE // 100
    assert reserve_rate_at(3 * PRICE_SCALE, PRICE_SCALE) * 3 >= PRICE_SCALE * 102 // 100
    assert reserve_rate_at(3, 1) == 340_000_000_000
    assert reserve_rate_at(7, 1) == 145_714_285_715


@given(BUYS, QUANTITIES, QUANTITIES)
def test_what_is_needed_never_falls_with_the_quantity(buy: Buy, one: int, more: int) -> None:
    assert buy.need(one) <= buy.need(one + more)


@given(BUYS, QUANTITIES, st.integers(0, 10**12))
def test_what_is_needed_never_falls_with_the_price_the_fee_or_the_rate(buy: Buy, left: int, more: int) -> None:
    dearer = [Buy(buy.worst + more, buy.fee, buy.rate), Buy(buy.worst, buy.fee + more, buy.rate)]
    if buy.rate is not None:
        dearer.append(Buy(buy.worst, buy.fee, buy.rate + more))
    assert all(each.need(left) >= buy.need(left) for each in dearer)


@given(BUYS, QUANTITIES, st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 10**6)), max_size=20))
def test_partial_fills_within_the_limit_never_cost_more_than_was_reserved(
    buy: Buy, whole: int, parts: list[tuple[int, int]]
) -> None:
    """A fill is charged what it costs, and no more than it sets free; that covers all of it but its rounding."""
    left, charged = whole, 0
    for part, cheaper in parts:
        quantity = min(left, max(1, whole * part // 10**6))
        price = max(1, buy.worst - buy.worst * cheaper // 10**6)
        freed = buy.need(left) - buy.need(left - quantity)
        assert freed >= buy.floor(quantity, price)
        charged += min(buy.cost(quantity, price), freed)
        left -= quantity
        assert charged + buy.need(left) <= buy.need(whole)


@given(BUYS, QUANTITIES, st.integers(0, 10**6))
def test_one_fill_of_all_is_charged_in_full(buy: Buy, whole: int, cheaper: int) -> None:
    price = max(1, buy.worst - buy.worst * cheaper // 10**6)
    assert buy.cost(whole, price) <= buy.need(whole)

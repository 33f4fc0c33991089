"""Whole numbers, rounded against the party that would gain; and fees."""

import ast
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.trading.exchange.model import Liquidity
from app.domains.trading.exchange.rules.fees import SCHEDULES, fee
from app.domains.trading.exchange.rules.rounding import (
    MAX_PRICE,
    MAX_UNITS,
    affordable,
    converted_cost,
    converted_proceeds,
    cost,
    is_dust,
    is_on_tick,
    paid,
    received,
    tick_above,
    tick_at,
    tick_below,
)
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE, decimal_of, units_of
from tests.sources import name_of, sources, tree_of

QUANTITIES = st.integers(1, MAX_UNITS - 1)
PRICES = st.integers(1, MAX_PRICE - 1)
SMALL = st.integers(1, 10**6)


@given(QUANTITIES | SMALL, PRICES | SMALL)
def test_a_buyer_pays_up_and_a_seller_receives_down(quantity: int, price: int) -> None:
    exact = quantity * price
    assert 0 <= paid(quantity, price) * PRICE_SCALE - exact < PRICE_SCALE
    assert 0 <= exact - received(quantity, price) * PRICE_SCALE < PRICE_SCALE
    assert cost(Side.BUY, quantity, price) == paid(quantity, price)
    assert cost(Side.SELL, quantity, price) == received(quantity, price)


@given(st.lists(st.tuples(SMALL, PRICES), min_size=1, max_size=20))
def test_tiny_fills_create_no_value(fills: list[tuple[int, int]]) -> None:
    """Splitting an order never gains: buyers pay as much at least, sellers receive as much at most."""
    price = fills[0][1]
    whole = sum(quantity for quantity, _ in fills)
    assert sum(paid(quantity, price) for quantity, _ in fills) >= paid(whole, price)
    assert sum(received(quantity, price) for quantity, _ in fills) <= received(whole, price)


def test_ten_thousand_tiny_fills_create_no_value() -> None:
    price = PRICE_SCALE * 3 // 7
    bought = sum(paid(1, price) for _ in range(10_000))
    sold = sum(received(1, price) for _ in range(10_000))
    assert (bought, sold) == (10_000, 0)
    assert sold <= received(10_000, price) < paid(10_000, price) <= bought


@given(st.integers(1, MAX_UNITS), PRICES)
def test_what_is_affordable_costs_no_more_than_the_amount(amount: int, price: int) -> None:
    quantity = affordable(amount, price)
    assert paid(quantity, price) <= amount
    assert (quantity + 1) * price > amount * PRICE_SCALE


@given(st.integers(0, MAX_UNITS), st.integers(1, 10**14))
def test_a_conversion_is_rounded_against_the_portfolio(dollars: int, rate: int) -> None:
    exact = dollars * rate
    assert 0 <= converted_cost(dollars, rate) * PRICE_SCALE - exact < PRICE_SCALE
    assert 0 <= exact - converted_proceeds(dollars, rate) * PRICE_SCALE < PRICE_SCALE


@pytest.mark.parametrize(
    ("price", "tick"),
    [("99999", "1"), ("100000", "10"), ("123.45", "0.01"), ("1", "0.0001"), ("0.99999", "0.00001")],
)
def test_a_tick_is_the_fifth_significant_digit(price: str, tick: str) -> None:
    assert decimal_of(tick_at(units_of(Decimal(price), PRICE_SCALE)), PRICE_SCALE) == Decimal(tick)


def test_the_least_prices_have_a_tick_of_one() -> None:
    assert [tick_at(price) for price in (1, 99_999, 100_000, 999_999)] == [1, 1, 10, 10]


@given(PRICES | SMALL)
def test_prices_are_rounded_to_ticks(price: int) -> None:
    below, above = tick_below(price), tick_above(price)
    assert below <= price <= above
    assert above - below in {0, tick_at(price)}
    assert is_on_tick(below)
    assert is_on_tick(above)
    assert is_on_tick(price) is (below == above == price)
    assert len(str(below).rstrip("0")) <= 5


def test_dust_is_worth_less_than_a_dollar() -> None:
    assert is_dust(COIN - 1, PRICE_SCALE)
    assert not is_dust(COIN, PRICE_SCALE)
    assert is_dust(1, PRICE_SCALE * COIN - 1)


@given(st.integers(-MAX_UNITS * 10**12, MAX_UNITS * 10**12))
def test_units_and_decimals_are_the_same_number(units: int) -> None:
    assert units_of(decimal_of(units)) == units
    assert units_of(decimal_of(units, PRICE_SCALE), PRICE_SCALE) == units


@pytest.mark.parametrize("value", ["0.000000001", "NaN", "Infinity", "-Infinity", "sNaN"])
def test_what_has_a_ninth_decimal_or_is_no_number_has_no_units(value: str) -> None:
    with pytest.raises(ValueError, match=r"is not a number|fraction of a unit"):
        units_of(Decimal(value))


@pytest.mark.parametrize(
    ("tier", "maker", "taker"),
    [("free", "0.001", "0.002"), ("pro", "0.0008", "0.0016"), ("enterprise", "0.0005", "0.001")],
)
def test_fees_by_tier(tier: str, maker: str, taker: str) -> None:
    schedule = SCHEDULES[tier]
    thousand = 1_000 * COIN
    assert decimal_of(fee(schedule, Liquidity.MAKER, thousand)) == 1000 * Decimal(maker)
    assert decimal_of(fee(schedule, Liquidity.TAKER, thousand)) == 1000 * Decimal(taker)


@given(st.sampled_from(sorted(SCHEDULES)), st.sampled_from(Liquidity), st.integers(0, MAX_UNITS))
def test_a_fee_is_rounded_up(tier: str, liquidity: Liquidity, dollars: int) -> None:
    schedule = SCHEDULES[tier]
    rate = schedule.maker if liquidity is Liquidity.MAKER else schedule.taker
    charged = fee(schedule, liquidity, dollars)
    assert 0 <= charged * COIN - dollars * rate < COIN
    assert (charged > 0) is (dollars > 0)


def test_the_rules_of_the_exchange_have_no_floats() -> None:
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in sources("app/domains/trading/exchange")
        for node in ast.walk(tree_of(path))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float | complex))
        or (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div))
        or (isinstance(node, ast.Name) and node.id == "float")
    ]
    assert found == []

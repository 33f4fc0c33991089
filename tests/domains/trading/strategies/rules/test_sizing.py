"""How large entries are, and that orders accept them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domains.trading.exchange.model import OrderType
from app.domains.trading.exchange.rules.rounding import is_dust
from app.domains.trading.orders.model import NewBracket, NewOrder
from app.domains.trading.orders.rules.checks import check_bracket
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE, units_of
from app.domains.trading.strategies.model import Decision, Grid, Momentum, RiskLevel, SignalType
from app.domains.trading.strategies.rules.sizing import entry_quantity, exit_prices, slots_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PRICES = st.one_of(
    st.integers(2, 10**24 - 2 * 10**19).map(lambda units: Decimal(units).scaleb(-12)),
    st.integers(2, 10**7).map(lambda units: Decimal(units).scaleb(-12)),
    st.decimals("0.01", 100_000, places=12),
)
PERCENTAGES = st.decimals("0.01", 100, places=2)
AMOUNTS = st.decimals(0, 1_000_000, places=8)


def quantity(  # noqa: PLR0917  # what it depends on
    price: str,
    risk: RiskLevel = RiskLevel.HIGH,
    largest: str = "1000",
    committed: str = "0",
    slots: int | None = None,
    amount: str | None = None,
) -> Decimal:
    decision = Decision(
        type=SignalType.BUY, confidence=50, reasoning="", amount_usd=None if amount is None else Decimal(amount)
    )
    return entry_quantity(
        decision,
        risk=risk,
        max_position_usd=Decimal(largest),
        committed_usd=Decimal(committed),
        slots=slots,
        price=Decimal(price),
    )


def test_an_entry_is_a_quarter_a_half_or_all_by_risk() -> None:
    assert [quantity("50", risk) for risk in (RiskLevel.LOW, RiskLevel.MEDIUM, RiskLevel.HIGH)] == [5, 10, 20]


@pytest.mark.parametrize("risk", RiskLevel)
def test_a_slot_is_an_equal_part_and_an_amount_is_an_amount_whatever_the_risk(risk: RiskLevel) -> None:
    assert quantity("50", risk, slots=8) == Decimal("2.5")
    assert quantity("50", risk, amount="75") == Decimal("1.5")
    assert quantity("50", risk, slots=8, amount="75") == Decimal("1.5")


@pytest.mark.parametrize(
    ("committed", "expected"),
    [("0", "10"), ("500", "10"), ("600", "8"), ("999", "0.02"), ("999.01", "0"), ("2000", "0")],
)
def test_it_is_never_more_than_what_is_left_of_the_position(committed: str, expected: str) -> None:
    assert quantity("50", RiskLevel.MEDIUM, committed=committed) == Decimal(expected)
    assert quantity("50", amount="500", committed=committed) == Decimal(expected)
    assert quantity("50", slots=2, committed=committed) == Decimal(expected)


@pytest.mark.parametrize(
    ("price", "largest", "expected"),
    [
        ("3", "1000", "333.33333333"),
        ("0.7", "10", "14.28571428"),
        ("0.7", "1", "0"),
        # Rounded down, a third of three dollars is worth less than a dollar.
        ("3", "1", "0"),
        ("2", "1", "0.5"),
        ("2", "0.99999999", "0"),
        ("60000", "1000", "0.01666666"),
        ("999999999999", "1000000", "0.000001"),
        # As many coins as an order can have.
        ("0.000000000002", "1000000", "999999999999.99999999"),
        ("0.000000000001", "1000000", "0"),
    ],
)
def test_it_is_rounded_down_and_worth_a_dollar(price: str, largest: str, expected: str) -> None:
    assert quantity(price, largest=largest) == Decimal(expected)


def test_a_grid_has_a_slot_less_than_levels() -> None:
    assert slots_of(Grid(levels=10)) == 9
    assert slots_of(Momentum()) is None


@pytest.mark.parametrize(
    ("price", "percentages", "expected"),
    [
        ("100", ("10", "5"), ("110", "95")),
        ("123.45", ("10", "5"), ("135.8", "117.27")),
        ("65432", ("0.01", "0.01"), ("65439", "65425")),
        ("0.000000000002", ("10", "5"), ("0.000000000003", "0.000000000001")),
        ("100", ("10", "100"), ("110", "0.000000000001")),
        ("100", ("0", "0"), ("100.01", "99.999")),
        ("99999.123456", ("0.0001", "0.0001"), ("100000", "99999")),
        ("999980000000", ("50", "5"), ("999990000000", "949980000000")),
    ],
)
def test_exits_are_on_ticks_the_take_profit_up_and_the_stop_loss_down(
    price: str, percentages: tuple[str, str], expected: tuple[str, str]
) -> None:
    up, down = map(Decimal, percentages)
    assert exit_prices(Decimal(price), up, down) == tuple(map(Decimal, expected))


@pytest.mark.parametrize(
    ("stated", "expected"),
    [("120", "120"), ("120.001", "120.01"), ("100", "100.01"), ("99", "100.01"), ("1", "100.01")],
)
def test_a_stated_take_profit_replaces_the_percentage_and_is_above_the_price(stated: str, expected: str) -> None:
    found = exit_prices(Decimal(100), Decimal(10), Decimal(5), Decimal(stated))
    assert found == (Decimal(expected), Decimal(95))


@pytest.mark.parametrize("price", ["0.000000000001", "999990000000", "999999999999"])
def test_a_price_without_a_tick_beside_it_has_no_exits(price: str) -> None:
    with pytest.raises(ValueError, match="no room"):
        exit_prices(Decimal(price), Decimal(10), Decimal(5))


@given(
    PRICES,
    st.sampled_from(RiskLevel),
    AMOUNTS,
    AMOUNTS,
    st.none() | st.integers(1, 49),
    st.none() | st.decimals(1, 1_000_000, places=8),
)
def test_an_entry_fits_what_is_left(  # noqa: PLR0917  # what it depends on
    price: Decimal,
    risk: RiskLevel,
    largest: Decimal,
    committed: Decimal,
    slots: int | None,
    amount: Decimal | None,
) -> None:
    decision = Decision(type=SignalType.BUY, confidence=50, reasoning="", amount_usd=amount)
    found = entry_quantity(
        decision, risk=risk, max_position_usd=largest, committed_usd=committed, slots=slots, price=price
    )
    units, at = units_of(found), units_of(price, PRICE_SCALE)
    assert units >= 0
    room = units_of(largest) - units_of(committed)
    assert units * at <= max(0, room) * PRICE_SCALE
    assert units == 0 or not is_dust(units, at)
    if amount is not None and units:
        assert units * at <= units_of(amount) * PRICE_SCALE


@given(PRICES, PERCENTAGES, PERCENTAGES, st.none() | PRICES, st.decimals("0.00000001", 100_000, places=8))
def test_orders_accept_the_exits_of_every_entry(
    price: Decimal, up: Decimal, down: Decimal, stated: Decimal | None, coins: Decimal
) -> None:
    assume(price < Decimal("999990000000"))
    take_profit, stop_loss = exit_prices(price, up, down, stated)
    assert take_profit > price > stop_loss
    entry = NewOrder(symbol="BTC", side=Side.BUY, type=OrderType.MARKET, quantity=coins)
    check_bracket(NewBracket(entry=entry, take_profit_price=take_profit, stop_loss_stop_price=stop_loss), NOW)

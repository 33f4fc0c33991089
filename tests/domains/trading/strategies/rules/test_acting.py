from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.domains.trading.exchange.model import OrderType
from app.domains.trading.exchange.rules.rounding import is_on_tick
from app.domains.trading.orders.model import NewBracket, NewOrder
from app.domains.trading.orders.rules.checks import check_bracket
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE, units_of
from app.domains.trading.strategies.rules.acting import (
    Brakes,
    Losses,
    SizedEntry,
    bracket_of,
    exit_price,
    reached_price,
    why_not_to_buy,
)

NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)
BRAKES = Brakes(Decimal(50), 3_600_000)


def why_not(losses: Losses = Losses(), brakes: Brakes = BRAKES) -> str | None:
    return why_not_to_buy(losses, brakes, NOON)


def test_an_entry_is_a_bracket_that_can_be_placed() -> None:
    entry = NewOrder(symbol="BTC", side=Side.BUY, type=OrderType.MARKET, quantity=Decimal("0.5"))
    expected = NewBracket(entry=entry, take_profit_price=Decimal(110), stop_loss_stop_price=Decimal(95))
    assert bracket_of("BTC", SizedEntry(Decimal("0.5"), Decimal(110), Decimal(95))) == expected
    assert check_bracket(expected, NOON) == expected


@pytest.mark.parametrize(
    ("today", "buys"), [("49.99999999", True), ("50", False), ("50.00000001", False), ("-50", True), ("0", True)]
)
def test_nothing_is_bought_once_the_loss_of_today_reaches_the_limit(today: str, buys: bool) -> None:
    assert (why_not(Losses(Decimal(today))) is None) is buys


def test_a_limit_of_nothing_stops_after_any_loss_and_not_before() -> None:
    brakes = Brakes(Decimal(0))
    assert why_not(brakes=brakes) is None
    found = why_not(Losses(Decimal("0.00000001")), brakes)
    assert found == "The loss of today reaches the limit of 0 dollars: nothing is bought until midnight UTC."


def test_without_a_limit_no_loss_is_too_large() -> None:
    assert why_not(Losses(Decimal(10) ** 9, NOON), Brakes()) is None


@pytest.mark.parametrize(("ago", "buys"), [(0, False), (3_599, False), (3_600, True), (7_200, True)])
def test_nothing_is_bought_while_it_cools_down(ago: int, buys: bool) -> None:
    losses = Losses(Decimal(1), NOON - timedelta(seconds=ago))
    assert (why_not(losses) is None) is buys


def test_the_reason_says_when_it_has_cooled_down() -> None:
    found = why_not(Losses(Decimal(1), NOON - timedelta(minutes=1)))
    assert found == ("An exit lost less than 3600000 ms ago: nothing is bought before 2026-05-05 12:59:00 UTC.")


@pytest.mark.parametrize("price", ["100", "67123.456789", "0.000000000001", "0.000012345678", "999999999999"])
def test_an_exit_is_5_percent_below_the_price_on_a_tick(price: str) -> None:
    found = exit_price(Decimal(price))
    assert is_on_tick(units_of(found, PRICE_SCALE))
    assert found > 0
    if price != "0.000000000001":
        assert Decimal(price) * Decimal("0.9499") <= found <= Decimal(price) * Decimal("0.95")


@pytest.mark.parametrize("price", ["100", "67123.456789", "0.000000000001", "0.000012345678", "999999999999"])
def test_a_stop_that_is_reached_at_once_is_5_percent_above_the_price_on_a_tick(price: str) -> None:
    found = reached_price(Decimal(price))
    assert is_on_tick(units_of(found, PRICE_SCALE))
    assert found >= min(Decimal(price) * Decimal("1.05"), Decimal("999990000000"))
    assert found <= max(Decimal(price) * Decimal("1.0502"), Decimal("0.000000000002"))

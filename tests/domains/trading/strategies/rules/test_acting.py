from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from app.domains.trading.exchange.model import OrderType
from app.domains.trading.exchange.rules.rounding import is_on_tick
from app.domains.trading.orders.model import NewBracket, NewOrder
from app.domains.trading.orders.rules.checks import check_bracket
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE, units_of
from app.domains.trading.strategies.model import Decision, SignalType
from app.domains.trading.strategies.rules.acting import (
    NO_ROOM,
    NOT_BOUGHT_YET,
    NOTHING_HELD,
    Act,
    Brakes,
    Losses,
    Standing,
    act_on,
    bracket_of,
    exit_price,
    reached_price,
    why_not_to_buy,
)
from app.domains.trading.strategies.rules.sizing import SizedEntry

NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)
BRAKES = Brakes(Decimal(50), 3_600_000)
ENTRY = SizedEntry(Decimal("0.5"), Decimal(110), Decimal(95))


def act(
    type: SignalType,
    entries: Sequence[SizedEntry] = (ENTRY,),
    *,
    is_holding: bool = False,
    is_buying: bool = False,
    losses: Losses = Losses(),
) -> Act:
    decision = Decision(type=type, confidence=50, reasoning="Because.")
    standing = Standing(is_holding=is_holding, is_buying=is_buying, losses=losses)
    return act_on(decision, "BTC", standing, BRAKES, entries, NOON)


def test_a_grid_buys_several_slots_in_their_order() -> None:
    first, second = replace(ENTRY, slot=7), SizedEntry(Decimal(2), Decimal(100), Decimal(80), 6)
    expected = Act(brackets=[(7, bracket_of("BTC", ENTRY)), (6, bracket_of("BTC", second))])
    assert act(SignalType.BUY, [first, second]) == expected


@pytest.mark.parametrize("losses", [Losses(today_usd=Decimal(50)), Losses(last_at=NOON)])
def test_losses_keep_it_from_buying_and_not_from_selling(losses: Losses) -> None:
    bought = act(SignalType.BUY, losses=losses)
    assert bought.ignored
    assert not bought.brackets
    assert act(SignalType.SELL, is_holding=True, losses=losses) == Act(sells=True)


def test_nothing_is_bought_while_an_earlier_purchase_is_open() -> None:
    assert act(SignalType.BUY, is_holding=True, is_buying=True) == Act(ignored=NOT_BOUGHT_YET)
    assert act(SignalType.BUY, is_holding=True).brackets


def test_holding_does_nothing_without_a_reason() -> None:
    assert act(SignalType.HOLD, is_holding=True) == Act()


def test_what_cannot_be_done_is_ignored_with_its_reason() -> None:
    assert act(SignalType.SELL) == Act(ignored=NOTHING_HELD)
    assert act(SignalType.BUY, []) == Act(ignored=NO_ROOM)


def why_not(losses: Losses = Losses(), brakes: Brakes = BRAKES) -> str | None:
    return why_not_to_buy(losses, brakes, NOON)


def test_an_entry_is_a_bracket_that_can_be_placed() -> None:
    entry = NewOrder(symbol="BTC", side=Side.BUY, type=OrderType.MARKET, quantity=Decimal("0.5"))
    expected = NewBracket(entry=entry, take_profit_price=Decimal(110), stop_loss_stop_price=Decimal(95))
    assert bracket_of("BTC", ENTRY) == expected
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

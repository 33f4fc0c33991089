from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from app.domains.trading.exchange.model import OrderType
from app.domains.trading.exchange.rules.rounding import is_on_tick
from app.domains.trading.orders.model import NewBracket, NewOrder, OrderChanges
from app.domains.trading.orders.rules.checks import check_bracket
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE, units_of
from app.domains.trading.strategies.model import Decision, SignalType
from app.domains.trading.strategies.rules.acting import (
    NO_ROOM,
    NOTHING_HELD,
    Actions,
    Brakes,
    Exited,
    Losses,
    SizedEntry,
    exit_price,
    losses_of,
    orders_for,
)

NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)
ENTRY = SizedEntry(Decimal("0.5"), Decimal(110), Decimal(95))
BRAKES = Brakes(Decimal(50), 3_600_000)


def decided(type: SignalType) -> Decision:
    return Decision(type=type, confidence=50, reasoning="Because.")


def act(
    type: SignalType,
    entries: tuple[SizedEntry, ...] = (ENTRY,),
    take_profits: tuple[UUID, ...] = (),
    losses: Losses = Losses(),
    brakes: Brakes = BRAKES,
) -> Actions:
    return orders_for(decided(type), "BTC", Decimal(100), NOON, entries, take_profits, losses, brakes)


def test_a_buy_is_a_bracket_that_can_be_placed() -> None:
    entry = NewOrder(symbol="BTC", side=Side.BUY, type=OrderType.MARKET, quantity=Decimal("0.5"))
    expected = NewBracket(entry=entry, take_profit_price=Decimal(110), stop_loss_stop_price=Decimal(95))
    assert act(SignalType.BUY) == Actions(brackets=(expected,))
    assert check_bracket(expected, NOON) == expected


def test_a_grid_buys_several_slots_in_their_order() -> None:
    other = SizedEntry(Decimal(2), Decimal(100), Decimal(80))
    found = act(SignalType.BUY, (ENTRY, other))
    assert [each.entry.quantity for each in found.brackets] == [Decimal("0.5"), Decimal(2)]
    assert [each.take_profit_price for each in found.brackets] == [Decimal(110), Decimal(100)]


def test_a_sale_moves_every_take_profit_below_the_price() -> None:
    ids = (UUID(int=1), UUID(int=2))
    changes = OrderChanges(price=Decimal(95))
    assert act(SignalType.SELL, take_profits=ids) == Actions(exits=((ids[0], changes), (ids[1], changes)))


def test_losses_do_not_keep_it_from_selling() -> None:
    losses = Losses(Decimal(1_000), NOON)
    assert act(SignalType.SELL, take_profits=(UUID(int=1),), losses=losses).exits


def test_holding_does_nothing_without_a_reason() -> None:
    assert act(SignalType.HOLD, take_profits=(UUID(int=1),)) == Actions()


def test_what_cannot_be_done_is_ignored_with_its_reason() -> None:
    assert act(SignalType.SELL) == Actions(ignored=NOTHING_HELD)
    assert act(SignalType.BUY, ()) == Actions(ignored=NO_ROOM)


@pytest.mark.parametrize(
    ("today", "buys"), [("49.99999999", True), ("50", False), ("50.00000001", False), ("-50", True), ("0", True)]
)
def test_nothing_is_bought_once_the_loss_of_today_reaches_the_limit(today: str, buys: bool) -> None:
    found = act(SignalType.BUY, losses=Losses(Decimal(today)))
    assert bool(found.brackets) is buys
    assert (found.ignored is None) is buys


def test_a_limit_of_nothing_stops_after_any_loss_and_not_before() -> None:
    brakes = Brakes(Decimal(0))
    assert act(SignalType.BUY, brakes=brakes).brackets
    found = act(SignalType.BUY, brakes=brakes, losses=Losses(Decimal("0.00000001")))
    assert found.ignored == "The loss of today reaches the limit of 0 dollars: nothing is bought until midnight UTC."


def test_without_a_limit_no_loss_is_too_large() -> None:
    assert act(SignalType.BUY, brakes=Brakes(), losses=Losses(Decimal(10) ** 9, NOON)).brackets


@pytest.mark.parametrize(("ago", "buys"), [(0, False), (3_599, False), (3_600, True), (7_200, True)])
def test_nothing_is_bought_while_it_cools_down(ago: int, buys: bool) -> None:
    losses = Losses(Decimal(1), NOON - timedelta(seconds=ago))
    assert bool(act(SignalType.BUY, losses=losses).brackets) is buys


def test_the_reason_says_when_it_has_cooled_down() -> None:
    found = act(SignalType.BUY, losses=Losses(Decimal(1), NOON - timedelta(minutes=1)))
    assert found.ignored == ("An exit lost less than 3600000 ms ago: nothing is bought before 2026-05-05 12:59:00 UTC.")


def test_losses_are_those_since_midnight_less_the_profits() -> None:
    midnight = NOON.replace(hour=0)
    before, first = Exited(midnight - timedelta.resolution, Decimal(-7)), Exited(midnight, Decimal(-5))
    profit = Exited(NOON, Decimal(2))
    assert losses_of([before, first, profit], NOON) == Losses(Decimal(3), midnight)
    assert losses_of([before, profit], NOON) == Losses(Decimal(-2), before.at)
    assert losses_of([], NOON) == Losses()


@pytest.mark.parametrize("price", ["100", "67123.456789", "0.000000000001", "0.000012345678", "999999999999"])
def test_an_exit_is_5_percent_below_the_price_on_a_tick(price: str) -> None:
    found = exit_price(Decimal(price))
    assert is_on_tick(units_of(found, PRICE_SCALE))
    assert found > 0
    if price != "0.000000000001":
        assert Decimal(price) * Decimal("0.9499") <= found <= Decimal(price) * Decimal("0.95")

"""A grid buys what the price falls to, once, and never sells by signal."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.trading.exchange.rules.rounding import is_on_tick
from app.domains.trading.quantities.rules import PRICE_SCALE, units_of
from app.domains.trading.strategies.model import DcaState, Decision, Entry, Grid, GridState, SignalType, Slot
from app.domains.trading.strategies.rules.grid import decide, levels_of
from tests.domains.trading.strategies.windows import BEGIN, priced

CONFIG = Grid(lower_price=Decimal(100), upper_price=Decimal(1600), levels=5)
LEVELS = tuple(map(Decimal, (100, 200, 400, 800, 1600)))


def after(before: int | str, price: int | str, held: Sequence[int] = ()) -> Decision:
    """The decision at a price after another one, with these slots held."""
    entries = [Entry(Decimal(1), LEVELS[slot], BEGIN, slot) for slot in held]
    return decide(CONFIG, priced(price), entries, GridState(LEVELS, Decimal(before)))


def slots(*numbers: int) -> tuple[Slot, ...]:
    return tuple(Slot(number, LEVELS[number + 1]) for number in numbers)


@pytest.mark.parametrize("state", [None, DcaState(BEGIN)])
def test_the_first_candle_lays_the_levels_and_buys_nothing(state: DcaState | None) -> None:
    decision = decide(CONFIG, priced(300), (), state)
    assert decision.type is SignalType.HOLD
    assert decision.state == GridState(LEVELS, Decimal(300))
    assert decision.reasoning == "The grid is laid: 5 levels from $100 to $1,600."


@pytest.mark.parametrize(
    ("percentage", "levels"),
    [
        # The roots of 80 x 120 and of 88 x 112 are 97.97959 and 99.27739.
        (20, ("80", "97.98", "120")),
        (12, ("88", "99.277", "112")),
    ],
)
def test_without_bounds_the_levels_are_around_the_first_price(percentage: int, levels: tuple[str, ...]) -> None:
    config = Grid(range_percentage=Decimal(percentage), levels=3)
    assert levels_of(config, Decimal(100)) == tuple(map(Decimal, levels))


@pytest.mark.parametrize(
    ("before", "price", "bought"),
    [
        (300, 201, ()),
        (300, 200, (1,)),
        (201, 200, (1,)),
        (200, 199, ()),
        (199, 201, ()),
        (300, 100, (1, 0)),
        (300, "100.01", (1,)),
        (1000, 90, (3, 2, 1, 0)),
        (1700, 1600, ()),
        (1700, 900, ()),
        (1700, 800, (3,)),
        (90, 80, ()),
    ],
)
def test_each_level_that_the_price_falls_to_is_bought(before: int, price: int | str, bought: tuple[int, ...]) -> None:
    decision = after(before, price)
    assert decision.slots == slots(*bought)
    assert decision.type is (SignalType.BUY if bought else SignalType.HOLD)
    assert decision.state == GridState(LEVELS, Decimal(price))


def test_a_slot_that_is_held_is_not_bought_again() -> None:
    assert after(1000, 150, held=[2]).slots == slots(3, 1)
    held = after(1000, 150, held=[1, 2, 3])
    assert (held.type, held.slots) == (SignalType.HOLD, ())
    assert held.reasoning == "The price went from $1,000 to $150; what it fell to is held already."


def test_a_level_is_bought_anew_after_its_slot_was_sold() -> None:
    assert after(300, 200).slots == after(200, 450).slots + after(450, 150, held=[2]).slots == slots(1)


@pytest.mark.parametrize(("price", "confidence"), [(800, 50), (400, 67), (200, 84), (100, 100)])
def test_confidence_rises_with_depth(price: int, confidence: int) -> None:
    # 100 - 50 n / 3, rounded up, for slot n of 0 to 3.
    assert after(price + 1, price).confidence == confidence


@pytest.mark.parametrize("held", [(), (0, 1, 2, 3)])
def test_below_its_lowest_level_it_waits_and_does_not_sell(held: tuple[int, ...]) -> None:
    for before, price in ((100, 50), (50, 1), (1, "0.000000000001")):
        decision = after(before, price, held)
        assert decision.type is SignalType.HOLD
        assert "below the lowest level of $100." in decision.reasoning
    assert "above the highest level of $1,600." in after(1600, 5000, held).reasoning


def test_the_words_and_indicators_of_a_purchase() -> None:
    decision = after(1000, 150, held=[2])
    assert decision.reasoning == (
        "The price fell from $1,000 to $150. It buys 2 slots of 1 to 3, to sell one level higher, the lowest at $400."
    )
    assert decision.indicators == {"lowestLevel": 100, "highestLevel": 1600, "levelsBelow": 1, "slotsHeld": 1}


def test_a_price_of_one_unit_has_no_room_for_a_grid() -> None:
    decision = decide(Grid(), priced("0.000000000001"), (), None)
    assert (decision.type, decision.state, decision.confidence) == (SignalType.HOLD, None, 1)
    # From 1.5 to 4.5 units: rounded to 2, 3 and 4 of them, each once.
    config = Grid(range_percentage=Decimal(50), levels=20)
    assert levels_of(config, Decimal("0.000000000003")) == tuple(Decimal(n).scaleb(-12) for n in (2, 3, 4))


@given(
    st.integers(1, 10**24 - 1).map(lambda units: Decimal(units).scaleb(-12)),
    st.decimals("0.01", 50, places=2),
    st.integers(2, 50),
)
def test_levels_rise_on_ticks_and_are_equally_far_apart(price: Decimal, percentage: Decimal, count: int) -> None:
    levels = levels_of(Grid(range_percentage=percentage, levels=count), price)
    assert list(levels) == sorted(set(levels))
    assert len(levels) <= count
    assert all(is_on_tick(units_of(level, PRICE_SCALE)) for level in levels)
    if price > 1 and percentage >= 10 and price < Decimal(10) ** 11:
        assert len(levels) == count
        steps = [float(above / below) for below, above in pairwise(levels)]
        # A tick is at most a ten thousandth of a price.
        assert max(steps) - min(steps) < 3e-4
        assert levels[0] == pytest.approx(price * (1 - percentage / 100), rel=Decimal("0.0001"))
        assert levels[-1] == pytest.approx(price * (1 + percentage / 100), rel=Decimal("0.0001"))

"""The house's ladder is a function of the quote and of what was taken."""

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.trading.exchange.model import Consumption, Level, OrderType, Quote, Take
from app.domains.trading.exchange.rules.house import (
    LEVELS,
    REFILL_MS,
    House,
    consumed,
    half_spread,
    ladder_of,
    levels_left,
    quoted,
    refilled,
)
from app.domains.trading.exchange.rules.rounding import (
    MAX_PRICE,
    MAX_UNITS,
    is_on_tick,
    paid,
    received,
    tick_above,
    tick_below,
)
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN
from tests.domains.trading.exchange.stage import ALICE, BUY, SELL, Stage, coins, price, quote, trades

QUOTES = st.builds(
    Quote,
    price=st.integers(1, MAX_PRICE // 2) | st.integers(1, 10**6),
    volume=st.integers(0, MAX_UNITS - 1),
    volatility=st.integers(0, 10 * COIN),
    at=st.just(0),
)


def depth_of(levels: Iterable[Level]) -> int:
    return sum(level.quantity for level in levels)


DEPTH = depth_of(ladder_of(quote(100)).asks)


@given(QUOTES | st.builds(Quote, st.integers(MAX_PRICE // 2, MAX_PRICE - 1), st.just(0), st.just(0), st.just(0)))
def test_a_ladder_is_around_its_price_on_ticks_and_never_crossed(given_quote: Quote) -> None:
    ladder = ladder_of(given_quote)
    assert len(ladder.asks) <= LEVELS
    assert ladder.asks or given_quote.price > MAX_PRICE * 9 // 10
    assert ladder.bids or given_quote.price < 50_000
    for levels, sign in ((ladder.bids, -1), (ladder.asks, 1)):
        away = [sign * (level.price - given_quote.price) for level in levels]
        assert away == sorted(away)
        assert all(each > 0 for each in away)
        # A tick is rounded away from the price.
        least = given_quote.price * half_spread(given_quote)
        assert all(each * COIN >= least for each in away)
        assert all(0 < level.price < MAX_PRICE and level.quantity > 0 and is_on_tick(level.price) for level in levels)
        assert depth_of(levels) < MAX_UNITS


@given(QUOTES, st.integers(0, MAX_UNITS), st.integers(0, COIN))
def test_more_volume_narrows_the_spread_and_deepens_and_more_volatility_widens_it(
    given_quote: Quote, volume: int, volatility: int
) -> None:
    liquid = msgspec.structs.replace(given_quote, volume=given_quote.volume + volume)
    assert half_spread(liquid) <= half_spread(given_quote)
    assert depth_of(ladder_of(liquid).asks) >= depth_of(ladder_of(given_quote).asks)
    wild = msgspec.structs.replace(given_quote, volatility=given_quote.volatility + volatility)
    assert half_spread(wild) >= half_spread(given_quote)
    assert ladder_of(wild).asks[-1].price >= ladder_of(given_quote).asks[-1].price


def test_volume_and_volatility_make_the_spread_and_the_depth() -> None:
    bitcoin = quote("50000", volume=30_000_000_000, volatility="0.03")
    obscure = quote("50000", volume=0, volatility="0.03")
    assert half_spread(bitcoin) < half_spread(obscure) // 10
    assert depth_of(ladder_of(bitcoin).asks) > 1_000 * depth_of(ladder_of(obscure).asks)
    assert half_spread(quote("50000", volatility="9")) == COIN * 2 // 100


@pytest.mark.parametrize(("volatility", "width"), [("0", "0.01"), ("0.02", "0.02"), ("0.14", "0.08"), ("9", "0.08")])
def test_the_range_is_a_percent_and_half_of_the_volatility_up_to_eight(volatility: str, width: str) -> None:
    given_quote = quote(100, volatility=volatility)
    ladder = ladder_of(given_quote)
    # The first level is at half the spread, and the next after the last would be at the end of the range.
    away = half_spread(given_quote) + coins(width) * (LEVELS - 1) // LEVELS
    assert ladder.asks[-1].price == tick_above(-(-given_quote.price * (COIN + away) // COIN))
    assert ladder.bids[-1].price == tick_below(given_quote.price * (COIN - away) // COIN)


@given(QUOTES, st.integers(0, MAX_UNITS))
def test_what_was_taken_is_missing_from_the_best_levels(given_quote: Quote, gone: int) -> None:
    levels = ladder_of(given_quote).asks
    left = levels_left(levels, gone)
    assert depth_of(left) == max(0, depth_of(levels) - gone)
    assert left == [] or left[1:] == list(levels[len(levels) - len(left) + 1 :])


def test_what_was_taken_returns_together_after_the_refill() -> None:
    taken = consumed(consumed(consumed(Consumption(), 6_000, now=0), 500, now=4_999), 7, now=5_000)
    assert taken.takes == (Take(6_500, 65_000), Take(7, 70_000))
    moments = (5_000, 64_999, 65_000, 69_999, 70_000)
    assert [refilled(taken, now).gone for now in moments] == [6_507, 6_507, 7, 7, 0]


def test_what_is_taken_later_never_returns_earlier() -> None:
    """Not even if the clock went back."""
    taken = consumed(consumed(Consumption(), 1, now=5_000), 1, now=4_999)
    assert taken.takes == (Take(2, 70_000),)


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 5_000)), min_size=1, max_size=40))
def test_no_more_is_taken_in_any_minute_than_the_depth(takes: list[tuple[int, int]]) -> None:
    """However an order is sliced over time and quotes."""
    house, now, given_out = House(quote(100), Consumption(), Consumption()), 0, list[tuple[int, int]]()
    for part, pause in takes:
        left = depth_of(house.levels(Side.SELL))
        if quantity := min(DEPTH * part // 10**6, left):
            house.take(Side.SELL, quantity, now)
            given_out.append((now, quantity))
        now += pause
        house.requote(quote(100, now), now)
    for first, _ in given_out:
        assert sum(quantity for at, quantity in given_out if first <= at < first + REFILL_MS) <= DEPTH


@given(
    st.sampled_from(Side),
    st.lists(st.integers(1, 10 * COIN), min_size=1, max_size=100),
    st.integers(0, 600),
    st.booleans(),
)
def test_slices_cost_no_less_than_one_order(side: Side, slices: list[int], pause: int, with_quotes: bool) -> None:
    """Within the refill, whether there are new quotes between them or not."""
    cost = paid if side is BUY else received

    def traded(stage: Stage, quantity: int) -> int:
        order = stage.order(side, OrderType.MARKET, None, ALICE)
        order = msgspec.structs.replace(order, quantity=quantity, sells_all=side is SELL)
        _, outcomes = stage.place(order)
        return sum(cost(each, at) for at, each in trades(outcomes))

    slices = [each + COIN for each in slices]
    one, many = Stage(), Stage()
    at_once, in_slices = traded(one, sum(slices)), 0
    for each in slices:
        if with_quotes:
            many.move(100, after_ms=pause)
        else:
            many.now += pause
        in_slices += traded(many, each)
    assert in_slices >= at_once if side is BUY else in_slices <= at_once


@pytest.mark.parametrize("side", list(Side))
def test_consumption_survives_price_moves_and_a_halt(side: Side) -> None:
    stage = Stage()
    stage.market(side, 300)
    taken = stage.book.state
    gone = (taken.asks if side is BUY else taken.bids).gone
    assert gone == 300 * COIN
    stage.move(110, after_ms=0)
    stage.move(95, after_ms=0)
    stage.book.halt()
    stage.book.resume()
    stage.move(100, after_ms=0)
    state = stage.book.state
    assert (state.asks if side is BUY else state.bids).gone == gone
    assert (state.bids if side is BUY else state.asks) == Consumption()


def test_the_ladder_is_a_pure_function() -> None:
    stage = Stage()
    stage.market(BUY, 300)
    stage.market(SELL, 200)
    stage.move(101, after_ms=7_000)
    state = stage.book.state
    assert state.quote is not None
    expected = quoted(state.quote, state.bids, state.asks, stage.now)
    snapshot = stage.book.snapshot(100)
    assert snapshot.bids == expected[BUY]
    assert snapshot.asks == expected[SELL]
    assert stage.book.touch == (ladder_of(state.quote).bids[0].price, ladder_of(state.quote).asks[0].price)


def test_a_price_of_one_unit_has_no_bids() -> None:
    ladder = ladder_of(Quote(1, 0, 0, 0))
    assert ladder.bids == ()
    assert ladder.asks[0].price == 2
    stage = Stage(1)
    stage.book.requote(Quote(1, 0, 0, 0), 0)
    assert stage.book.touch == (0, 2)
    assert Level(price(1), 1) not in stage.book.snapshot(5).bids

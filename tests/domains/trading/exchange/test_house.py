"""The house's ladder is a function of the quote and of what was taken."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.trading.exchange.model import Consumption, Level, OrderType, Quote, Side
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
from app.domains.trading.exchange.rules.rounding import COIN, MAX_PRICE, MAX_UNITS, is_on_tick, paid, received
from tests.domains.trading.exchange.stage import ALICE, BUY, SELL, Stage, price, quote, trades

QUOTES = st.builds(
    Quote,
    price=st.integers(1, MAX_PRICE // 2) | st.integers(1, 10**6),
    volume=st.integers(0, MAX_UNITS - 1),
    volatility=st.integers(0, 10 * COIN),
    at=st.just(0),
)


@given(QUOTES | st.builds(Quote, st.integers(MAX_PRICE // 2, MAX_PRICE - 1), st.just(0), st.just(0), st.just(0)))
def test_a_ladder_is_around_its_price_on_ticks_and_never_crossed(given_quote: Quote) -> None:
    ladder = ladder_of(given_quote)
    assert len(ladder.asks) <= LEVELS
    assert ladder.asks or given_quote.price > MAX_PRICE * 9 // 10
    assert ladder.bids or given_quote.price < 50_000
    for levels, sign, depth in ((ladder.bids, -1, ladder.bid_depth), (ladder.asks, 1, ladder.ask_depth)):
        away = [sign * (level.price - given_quote.price) for level in levels]
        assert away == sorted(away)
        assert all(each > 0 for each in away)
        # A tick is rounded away from the price.
        least = given_quote.price * half_spread(given_quote)
        assert all(each * COIN >= least for each in away)
        assert all(0 < level.price < MAX_PRICE and level.quantity > 0 and is_on_tick(level.price) for level in levels)
        assert sum(level.quantity for level in levels) == depth < MAX_UNITS


@given(QUOTES, st.integers(0, MAX_UNITS), st.integers(0, COIN))
def test_more_volume_narrows_the_spread_and_deepens_and_more_volatility_widens_it(
    given_quote: Quote, volume: int, volatility: int
) -> None:
    liquid = msgspec.structs.replace(given_quote, volume=given_quote.volume + volume)
    assert half_spread(liquid) <= half_spread(given_quote)
    assert ladder_of(liquid).ask_depth >= ladder_of(given_quote).ask_depth
    wild = msgspec.structs.replace(given_quote, volatility=given_quote.volatility + volatility)
    assert half_spread(wild) >= half_spread(given_quote)
    assert ladder_of(wild).asks[-1].price >= ladder_of(given_quote).asks[-1].price


def test_volume_and_volatility_make_the_spread_and_the_depth() -> None:
    bitcoin = quote("50000", volume=30_000_000_000, volatility="0.03")
    obscure = quote("50000", volume=0, volatility="0.03")
    assert half_spread(bitcoin) < half_spread(obscure) // 10
    assert ladder_of(bitcoin).ask_depth > 1_000 * ladder_of(obscure).ask_depth
    assert half_spread(quote("50000", volatility="9")) == COIN * 2 // 100


@given(QUOTES, st.integers(0, MAX_UNITS))
def test_what_was_taken_is_missing_from_the_best_levels(given_quote: Quote, gone: int) -> None:
    levels = ladder_of(given_quote).asks
    depth = sum(level.quantity for level in levels)
    left = levels_left(levels, gone)
    assert sum(level.quantity for level in left) == max(0, depth - gone)
    assert left == [] or left[1:] == list(levels[len(levels) - len(left) + 1 :])


def test_a_side_refills_linearly() -> None:
    depth = 6_000
    taken = consumed(Consumption(), 6_000, depth, now=0)
    assert [refilled(taken, depth, now).gone for now in (0, 10, 15_000, 30_000, REFILL_MS, REFILL_MS * 2)] == [
        6_000, 5_999, 4_500, 3_000, 0, 0,
    ]  # fmt: skip


def test_a_refill_counts_from_what_was_taken_and_shows_with_a_quote() -> None:
    depth = 60_000
    taken = consumed(Consumption(at=0), 1, depth, now=0)
    taken = consumed(taken, 50_000, depth, now=50_000)
    # The one unit was refilled long ago; of the rest nothing yet.
    assert (taken.gone, taken.due) == (50_001, 50_000)
    assert refilled(taken, depth, now=50_001).gone == 49_999
    assert refilled(taken, depth, now=49_000).gone == 50_000


def test_what_was_taken_of_a_deeper_ladder_is_all_of_a_shallower_one() -> None:
    assert refilled(Consumption(900, 900, 0), depth=100, now=0) == Consumption(100, 100, 0)


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 5_000)), min_size=1, max_size=40))
def test_no_more_is_taken_than_the_depth_and_its_refill(takes: list[tuple[int, int]]) -> None:
    """However an order is sliced over time: what the house gave is the depth and what the time refilled, at most."""
    house, now, given_out = House(quote(100), Consumption(), Consumption()), 0, 0
    depth = ladder_of(quote(100)).ask_depth
    for part, pause in takes:
        quantity = min(depth * part // 10**6, sum(level.quantity for level in house.levels[Side.SELL]))
        if quantity:
            house.take(Side.SELL, quantity, now)
            given_out += quantity
        now += pause
        house.requote(quote(100, now), now)
    assert given_out <= depth + depth * now // REFILL_MS


@given(
    st.sampled_from(Side),
    st.lists(st.integers(1, 10 * COIN), min_size=1, max_size=100),
    st.integers(0, 1_000),
)
def test_slices_cost_no_less_than_one_order(side: Side, slices: list[int], pause: int) -> None:
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
        many.now += pause
        if many.now > 60_000:
            break
        in_slices += traded(many, each)
    else:
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

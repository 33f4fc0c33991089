"""What a change reserves is enough, whatever is filled until it is decided."""

from dataclasses import dataclass

from hypothesis import example, given
from hypothesis import strategies as st

from app.domains.trading.orders.rules.reservation import extra_for_change, need
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE

UNITS = st.integers(1, 10**12) | st.integers(1, 20)
PRICES = st.integers(1, 10**16) | st.integers(1, 10**13)


@dataclass(frozen=True)
class Rates:
    """What a buy reserves at beside its price."""

    taker_fee: int
    reserve_rate: int | None

    def need(self, left: int, worst: int) -> int:
        return need(
            Side.BUY, left, worst_price=worst, amount=None, taker_fee=self.taker_fee, reserve_rate=self.reserve_rate
        )

    def extra(self, left: int, worst: int, new_left: int, new_worst: int) -> int:
        return extra_for_change(
            left=left,
            worst_price=worst,
            new_left=new_left,
            new_worst_price=new_worst,
            taker_fee=self.taker_fee,
            reserve_rate=self.reserve_rate,
        )


DOLLARS = Rates(200_000, None)
RATES = st.builds(Rates, st.integers(0, COIN), st.none() | st.integers(PRICE_SCALE // 10, 3 * PRICE_SCALE))


# Twice as much for half the price needs nothing more, unless a half was filled at the old one.
@example(DOLLARS, 10 * COIN, 10 * PRICE_SCALE, 20 * COIN, 5 * PRICE_SCALE, 0.5)
@example(DOLLARS, 10 * COIN, 10 * PRICE_SCALE, 20 * COIN, 5 * PRICE_SCALE, 1.0)
# It needs no more unless a unit is filled, and then two units of a dollar: all four parts are rounded up.
@example(DOLLARS, 7, 83_304 * PRICE_SCALE // 1_000, 7, 83_340 * PRICE_SCALE // 1_000, 0.2)
@given(RATES, UNITS, PRICES, UNITS, PRICES, st.floats(0, 1))
def test_what_is_reserved_is_enough_however_much_is_filled(  # noqa: PLR0917
    rates: Rates, left: int, worst: int, new_left: int, new_worst: int, share: float
) -> None:
    extra = rates.extra(left, worst, new_left, new_worst)
    # An order that is filled whole is changed no more.
    filled = min(int(left * share), left - 1, new_left - 1)
    needed = rates.need(new_left - filled, new_worst) - rates.need(left - filled, worst)
    assert needed <= extra


@given(RATES, UNITS, PRICES, UNITS, PRICES)
def test_it_is_hardly_more_than_what_can_be_needed(
    rates: Rates, left: int, worst: int, new_left: int, new_worst: int
) -> None:
    most = max(
        0,
        rates.need(new_left, new_worst) - rates.need(left, worst),
        rates.need(max(0, new_left - left), new_worst),
    )
    units = rates.extra(left, worst, new_left, new_worst) - most
    assert 0 <= units <= 4 * (rates.reserve_rate or PRICE_SCALE) // PRICE_SCALE + 3


def test_a_change_to_less_needs_nothing() -> None:
    assert DOLLARS.extra(10 * COIN, 10 * PRICE_SCALE, 9 * COIN, 10 * PRICE_SCALE) == 0
    assert DOLLARS.extra(10 * COIN, 10 * PRICE_SCALE, 10 * COIN, 9 * PRICE_SCALE) == 0

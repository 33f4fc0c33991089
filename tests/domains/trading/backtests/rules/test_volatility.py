"""The volatility that the house quotes by: to the unit that of exact logarithms."""

from decimal import Context, Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from app.domains.trading.backtests.rules.quotes import volatility_of
from app.domains.trading.quantities.rules import COIN

EXACT = Context(prec=60)
PARKINSON = EXACT.multiply(2, EXACT.sqrt(EXACT.ln(2)))
HIGHEST = 10**24


def exactly(high: int, low: int) -> Decimal:
    """In units, before it is rounded."""
    log = EXACT.ln(EXACT.divide(high, low))
    return EXACT.multiply(EXACT.divide(log, PARKINSON), COIN)


@given(st.integers(1, HIGHEST), st.integers(1, HIGHEST))
@example(HIGHEST, 1)
@example(10**12 + 1, 10**12)
def test_it_is_that_of_exact_logarithms(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert volatility_of(high, low) == min(100 * COIN, round(exactly(high, low)))


def test_it_is_also_between_two_units() -> None:
    low = 10**23
    for units in range(1_000_000, 1_000_200):
        middle = EXACT.multiply(EXACT.divide(units + Decimal("0.5"), COIN), PARKINSON)
        high = int(EXACT.multiply(low, EXACT.exp(middle)))
        for each in (high, high + 1):
            assert abs(exactly(each, low) % 1 - Decimal("0.5")) < Decimal("1e-12")
            assert volatility_of(each, low) == round(exactly(each, low)), units

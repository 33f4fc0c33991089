"""Units and decimals, whatever the number of digits."""

from decimal import Decimal, getcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.trading.quantities.rules import COIN, PRICE_SCALE, decimal_of, units_of

SCALES = st.sampled_from((COIN, PRICE_SCALE))


@given(st.integers(-(10**90), 10**90), SCALES)
def test_a_value_of_units_is_those_units(units: int, scale: int) -> None:
    value = decimal_of(units, scale)
    assert Fraction(value) == Fraction(units, scale)
    assert units_of(value, scale) == units
    assert -value.as_tuple().exponent == len(str(scale)) - 1  # type: ignore[operator]  # a number's is an integer


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**60), max_value=10**60), SCALES)
def test_a_fraction_of_a_unit_is_refused(value: Decimal, scale: int) -> None:
    exact = Fraction(value) * scale
    if exact.denominator == 1:
        assert units_of(value, scale) == exact
    else:
        with pytest.raises(ValueError, match="has a fraction of a unit"):
            units_of(value, scale)


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_not_a_number_has_no_units(value: str) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        units_of(Decimal(value))


def test_nothing_is_left_in_the_context_of_the_thread() -> None:
    getcontext().clear_flags()
    with pytest.raises(ValueError, match="fraction"):
        units_of(Decimal("1E-9"))
    assert not any(getcontext().flags.values())

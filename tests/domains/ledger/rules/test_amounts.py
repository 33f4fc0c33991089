from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.ledger.rules.amounts import (
    COIN,
    MAX_MONEY_UNITS,
    AmountTooLarge,
    InvalidAmount,
    NegativeAmount,
    NotFinite,
    TooManyDecimals,
    to_coins,
    to_units,
)


@pytest.mark.parametrize(
    ("coins", "units"),
    [
        ("0", 0),
        ("-0", 0),
        ("0E+999999", 0),
        ("0E-999999", 0),
        ("1", COIN),
        ("0.00000001", 1),
        ("1.10", 110_000_000),
        ("1.000000000000", COIN),
        ("1E+3", 1000 * COIN),
        ("21000000", MAX_MONEY_UNITS),
        ("20999999.99999999", MAX_MONEY_UNITS - 1),
    ],
)
def test_coins_become_units(coins: str, units: int) -> None:
    assert to_units(Decimal(coins)) == units


@pytest.mark.parametrize(
    ("coins", "error"),
    [
        ("NaN", NotFinite),
        ("sNaN", NotFinite),
        ("Infinity", NotFinite),
        ("-Infinity", NotFinite),
        ("-0.00000001", NegativeAmount),
        ("0.000000001", TooManyDecimals),
        ("1E-999999", TooManyDecimals),
        ("1." + 60 * "0" + "1", TooManyDecimals),
        ("21000000.00000001", AmountTooLarge),
        ("1E+999999", AmountTooLarge),
    ],
)
def test_what_is_no_amount_is_refused(coins: str, error: type[InvalidAmount]) -> None:
    with pytest.raises(error):
        to_units(Decimal(coins))


def test_every_refusal_is_a_value_error_with_a_message() -> None:
    with pytest.raises(ValueError, match="at most 8 decimals"):
        to_units(Decimal("0.123456789"))


@given(st.integers(0, MAX_MONEY_UNITS))
def test_units_survive_the_way_to_coins_and_back(units: int) -> None:
    coins = to_coins(units)
    assert to_units(coins) == units
    assert coins.as_tuple().exponent == -8


def test_a_callers_decimal_context_does_not_round_money() -> None:
    with localcontext(prec=3):
        assert to_coins(1_234_567_891) == Decimal("12.34567891")
        assert to_units(Decimal("12.34567891")) == 1_234_567_891


def test_differences_may_be_negative() -> None:
    assert str(to_coins(-150_000_000)) == "-1.50000000"

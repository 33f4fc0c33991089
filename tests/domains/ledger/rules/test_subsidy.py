import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.ledger.rules.amounts import COIN, MAX_MONEY_UNITS
from app.domains.ledger.rules.subsidy import (
    HALVING_INTERVAL_BLOCKS,
    halving_number,
    issued_units,
    next_halving_height,
    subsidy_units,
    total_supply_units,
)


@pytest.mark.parametrize(
    ("height", "units"),
    [
        (0, 500 * COIN),
        (20_999, 500 * COIN),
        (21_000, 250 * COIN),
        (42_000, 125 * COIN),
        (11 * 21_000, 24_414_062),  # 0.244140625 coins, rounded down to the eighth decimal
        (36 * 21_000 - 1, 1),
        (36 * 21_000, 0),
        (10**9, 0),
    ],
)
def test_the_subsidy_halves_and_rounds_down(height: int, units: int) -> None:
    assert subsidy_units(height) == units


def test_all_there_will_ever_be() -> None:
    by_addition = sum(HALVING_INTERVAL_BLOCKS * subsidy_units(era * HALVING_INTERVAL_BLOCKS) for era in range(64))
    assert by_addition == 2_099_999_999_685_000
    assert total_supply_units() == by_addition
    assert issued_units(10**9) == by_addition
    assert by_addition < MAX_MONEY_UNITS
    assert MAX_MONEY_UNITS - by_addition == 315_000  # 0.00315 coins short of 21,000,000


@given(st.integers(0, 37 * HALVING_INTERVAL_BLOCKS))
def test_each_block_adds_its_subsidy(height: int) -> None:
    assert issued_units(height) == issued_units(height - 1) + subsidy_units(height)


def test_nothing_is_issued_below_genesis() -> None:
    assert issued_units(-1) == 0
    assert issued_units(0) == 500 * COIN


@pytest.mark.parametrize(("height", "number", "following"), [(0, 0, 21_000), (20_999, 0, 21_000), (21_000, 1, 42_000)])
def test_halvings_are_counted(height: int, number: int, following: int) -> None:
    assert halving_number(height) == number
    assert next_halving_height(height) == following

"""Lines: they balance, are rounded against the portfolio, and create nothing."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.trading.journal.model import Account, Currency, EntryKind, Fill, Line
from app.domains.trading.journal.rules.entries import (
    effects_of,
    ending_lines,
    excess_of,
    fill_lines,
    transfer_lines,
)
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE, decimal_of, units_of

UNITS = st.integers(1, 10**18)
PRICES = st.integers(1, 10**22)
FEES = st.integers(0, 10**16)
RATE = units_of(Decimal("1.5"), PRICE_SCALE)


@st.composite
def fills(draw: st.DrawFn) -> Fill:
    currency = draw(st.sampled_from(Currency))
    rate = None if currency is Currency.USD else draw(st.integers(10**10, 10**14))
    side = draw(st.sampled_from(Side))
    return Fill(side, "BTC", draw(UNITS), draw(PRICES), draw(FEES), currency, rate)


def paid(fill: Fill) -> Fraction:
    """What leaves the portfolio for a fill, exactly, in units of its currency; negative: it comes in."""
    value = Fraction(fill.quantity * fill.price, 10**12)
    dollars = value + fill.fee if fill.side is Side.BUY else fill.fee - value
    return dollars * Fraction(fill.fx_rate or 10**12, 10**12)


def moved(lines: tuple[Line, ...], account: Account, asset: str) -> int:
    return sum(line.amount for line in lines if line.account is account and line.asset == asset)


@given(fills())
def test_a_fill_balances_and_never_favours_the_portfolio(fill: Fill) -> None:
    lines = fill_lines(fill)
    assert excess_of(lines) == {}
    assert all(line.amount for line in lines)
    effects = effects_of(EntryKind.FILL, lines)
    assert effects.positions == {"BTC": fill.quantity if fill.side is Side.BUY else -fill.quantity}
    assert effects.contributed == 0
    # In dollars at most a unit is lost; another currency adds a unit, and the rounded dollars times the rate.
    lost = -effects.cash - paid(fill)
    assert 0 <= lost < 1 + Fraction(fill.fx_rate or 0, 10**12)
    assert moved(lines, Account.FEES, "USD") == fill.fee
    assert all(line.amount > 0 for line in lines if line.account in {Account.FEES, Account.ROUNDING})


@given(UNITS, PRICES)
def test_of_a_fill_between_two_the_house_keeps_nothing(quantity: int, price: int) -> None:
    bought, sold = (fill_lines(Fill(side, "BTC", quantity, price, 0)) for side in (Side.BUY, Side.SELL))
    for asset in ("BTC", "USD"):
        assert moved(bought, Account.HOUSE, asset) + moved(sold, Account.HOUSE, asset) == 0


def test_the_lines_of_fills() -> None:
    third = units_of(Decimal("0.333333333333"), PRICE_SCALE)
    assert fill_lines(Fill(Side.BUY, "BTC", units_of(Decimal("1.00000001")), third, 7)) == (
        Line(Account.POSITION, "BTC", 100_000_001),
        Line(Account.HOUSE, "BTC", -100_000_001),
        Line(Account.HOUSE, "USD", 33_333_333),
        Line(Account.FEES, "USD", 7),
        Line(Account.ROUNDING, "USD", 1),
        Line(Account.CASH, "USD", -33_333_341),
    )
    assert fill_lines(Fill(Side.SELL, "BTC", 100_000_001, third, 7, Currency.AUD, RATE)) == (
        Line(Account.POSITION, "BTC", -100_000_001),
        Line(Account.HOUSE, "BTC", 100_000_001),
        Line(Account.HOUSE, "USD", -33_333_333),
        Line(Account.FEES, "USD", 7),
        Line(Account.FX, "USD", 33_333_326),
        Line(Account.FX, "AUD", -49_999_989),
        Line(Account.CASH, "AUD", 49_999_989),
    )


def test_a_sale_that_is_worth_less_than_its_fee_costs_the_portfolio() -> None:
    effects = effects_of(EntryKind.FILL, fill_lines(Fill(Side.SELL, "BTC", 1, 1, 3, Currency.AUD, RATE)))
    assert effects.cash == -5


@pytest.mark.parametrize(
    "fill",
    [
        Fill(Side.BUY, "BTC", 0, 1, 0),
        Fill(Side.BUY, "BTC", -1, 1, 0),
        Fill(Side.BUY, "BTC", 1, 0, 0),
        Fill(Side.BUY, "BTC", 1, 1, -1),
        Fill(Side.BUY, "BTC", 1, 1, 0, Currency.AUD),
        Fill(Side.BUY, "BTC", 1, 1, 0, Currency.AUD, 0),
        Fill(Side.BUY, "BTC", 1, 1, 0, Currency.USD, RATE),
    ],
)
def test_what_can_be_no_fill_is_refused(fill: Fill) -> None:
    with pytest.raises(ValueError, match="Fill"):
        fill_lines(fill)


@given(st.lists(fills(), max_size=30), UNITS, st.dictionaries(st.sampled_from(["BTC", "ETH"]), UNITS))
def test_any_entries_together_create_nothing(many: list[Fill], cash: int, held: dict[str, int]) -> None:
    lines = [line for fill in many for line in fill_lines(fill)]
    lines += [*transfer_lines(Currency.USD, cash), *ending_lines(Currency.AUD, cash, held)]
    assert excess_of(lines) == {}
    # Per asset, what all accounts hold is nothing: whatever a portfolio has, somebody else has not.
    assert sum(line.amount for line in lines) == 0


@given(st.data())
def test_ten_thousand_tiny_fills_create_no_value(data: st.DataObject) -> None:
    """Bought and sold back at one price, in whatever slices, with no fee: never more than there was."""
    price, quantity = data.draw(PRICES), data.draw(st.integers(1, 10**6))
    currency, rate = data.draw(st.sampled_from([(Currency.USD, None), (Currency.AUD, RATE)]))
    slices = data.draw(st.integers(1, 10_000))
    buy, sell = (Fill(side, "X", quantity, price, 0, currency, rate) for side in (Side.BUY, Side.SELL))
    out = effects_of(EntryKind.FILL, fill_lines(buy)).cash * slices
    whole = Fill(Side.SELL, "X", quantity * slices, price, 0, currency, rate)
    assert out + effects_of(EntryKind.FILL, fill_lines(sell)).cash * slices <= 0
    assert out + effects_of(EntryKind.FILL, fill_lines(whole)).cash <= 0


def test_what_entries_do() -> None:
    assert transfer_lines(Currency.USD, 0) == ()
    assert effects_of(EntryKind.DEPOSIT, transfer_lines(Currency.USD, 5)).contributed == 5
    assert effects_of(EntryKind.WITHDRAWAL, transfer_lines(Currency.USD, -5)).contributed == -5
    ending = ending_lines(Currency.USD, 5, {"ETH": 2, "BTC": 1})
    effects = effects_of(EntryKind.RESET, ending)
    assert (effects.cash, effects.contributed, effects.positions) == (-5, 0, {"BTC": -1, "ETH": -2})
    assert [line.asset for line in ending] == ["USD", "USD", "BTC", "BTC", "ETH", "ETH"]


@given(st.integers(-(10**30), 10**30))
def test_units_are_exact(units: int) -> None:
    assert units_of(decimal_of(units)) == units


@pytest.mark.parametrize("text", ["0.000000001", "NaN", "Infinity"])
def test_what_is_no_whole_number_of_units_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a number|a fraction of a unit"):
        units_of(Decimal(text))

"""Numbers in alerts: what the database can hold of them, and what people read."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.market.alerts.rules import MAX_TITLE, news_text, shown, storable


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"),
        ("100000", "100,000"),
        ("101500.25", "101,500.25"),
        ("101500.2567891", "101,500.26"),
        ("1.5", "1.50"),
        ("1", "1"),
        ("0.00000812", "0.00000812"),
        ("0.000000000001", "0.000000000001"),
        ("-3.25", "-3.25"),
        ("999999999999.999999999999", "1,000,000,000,000"),
    ],
)
def test_numbers_for_people(value: str, text: str) -> None:
    assert shown(Decimal(value)) == text


finite = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)


@given(finite)
def test_whatever_is_measured_can_be_stored(value: Decimal) -> None:
    stored = storable(value)
    assert abs(stored) < 10**12
    assert -int(stored.as_tuple().exponent) <= 12
    if abs(value) < 10**12 - 1:
        assert abs(stored - value) <= Decimal("5E-13")


@given(finite)
def test_a_number_for_people_has_no_exponent_and_is_the_number(value: Decimal) -> None:
    text = shown(value)
    assert "E" not in text
    assert abs(Decimal(text.replace(",", "")) - value) <= max(abs(value) * Decimal("1E-7"), Decimal("1E-12"))


@given(st.text(min_size=1, max_size=500), st.text("ABC", min_size=1, max_size=20))
def test_a_headline_fits_into_a_title(headline: str, symbol: str) -> None:
    assert len(news_text(symbol, headline, 50, "https://news.example/" + "x" * 3000).title) <= MAX_TITLE
    assert len(news_text(symbol, headline, 50, "https://news.example/" + "x" * 3000).message) <= 2000

"""Which values of a provider are accepted."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.market.prices.model import PRICE_LIMIT, Quote, Quotes
from app.domains.market.providers.services.validation import QuoteValidator, RawQuote, count, share, text
from tests.databases import NOON

AGE = timedelta(minutes=15)
GOOD = RawQuote("BTC", "2026-11-21T11:59:20.123Z", Decimal("97250.5"), Decimal("149765.77"))
ANYTHING: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=True, allow_infinity=True),
    st.builds("{}e{}".format, st.integers(-9, 9), st.integers(-(10**17), 10**17)).map(Decimal),
    st.text(max_size=20),
    st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
    st.lists(st.none(), max_size=1),
    st.dictionaries(st.text(max_size=2), st.none(), max_size=1),
)


def validate(
    *raw_quotes: RawQuote, validator: QuoteValidator | None = None, asked: tuple[str, ...] = ("BTC",)
) -> Quotes:
    return (validator or QuoteValidator({}, AGE)).quotes(raw_quotes, asked, NOON, Counter())


def but(**changes: Any) -> RawQuote:
    return msgspec.structs.replace(GOOD, **changes)


def test_a_valid_quote_is_accepted() -> None:
    raw = but(
        volume_24h_usd=38212345678,
        change_24h=Decimal("-1210.75"),
        change_percentage_24h=Decimal("-1.260691"),
        high_24h=98120,
        low_24h=Decimal("95501.25"),
    )
    quote = Quote(
        "BTC",
        datetime(2026, 11, 21, 11, 59, 20, 123000, UTC),
        Decimal("97250.500000000000"),
        Decimal("149765.770000000000"),
        volume_24h_usd=Decimal("38212345678.00"),
        change_24h=Decimal("-1210.750000000000"),
        change_percentage_24h=Decimal("-1.2607"),
        high_24h=Decimal("98120.000000000000"),
        low_24h=Decimal("95501.250000000000"),
    )
    assert validate(raw) == Quotes([quote], {})


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "incomplete"),
        ("97250.5", "not_a_number"),
        (True, "not_a_number"),
        ([97250], "not_a_number"),
        ({"usd": 1}, "not_a_number"),
        (Decimal("NaN"), "not_a_number"),
        (Decimal("sNaN"), "not_a_number"),
        (Decimal("Infinity"), "not_a_number"),
        (Decimal("-Infinity"), "not_a_number"),
        (-1, "negative"),
        (Decimal("-0.00000001"), "negative"),
        (0, "zero"),
        (Decimal("-0"), "zero"),
        (Decimal("1e-13"), "zero"),
        (Decimal("1e-999999"), "zero"),
        (10**30, "absurd"),
        (Decimal("1e30"), "absurd"),
        (Decimal("1e999999"), "absurd"),
        (Decimal("1e999999999999999999"), "absurd"),
        (Decimal("-1e999999999999999999"), "negative"),
        (Decimal("1e-999999999999999999"), "zero"),
        (PRICE_LIMIT, "absurd"),
        (PRICE_LIMIT - Decimal("1e-13"), "absurd"),  # the column holds what it is rounded to, or the whole tick is lost
    ],
)
@pytest.mark.parametrize("field", ["price_usd", "price_aud"])
def test_a_price_that_is_none_is_ignored_and_the_others_count(field: str, value: Any, reason: str) -> None:
    other = msgspec.structs.replace(GOOD, symbol="ETH")
    answer = validate(but(**{field: value}), other, asked=("BTC", "ETH"))
    assert [quote.symbol for quote in answer.accepted] == ["ETH"]
    assert answer.ignored == {reason: 1}


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (None, "incomplete"),
        ("", "malformed"),
        ("yesterday", "malformed"),
        (1795262340, "malformed"),
        ("2026-11-21T11:59:20", "malformed"),
        ("0001-01-01T00:00:00+23:00", "malformed"),
        ("9999-12-31T23:59:59-23:00", "malformed"),
        ("2026-11-21T11:44:59Z", "stale"),
        ("1970-01-01T00:00:00Z", "stale"),
        ("2026-11-21T12:01:01Z", "future"),
    ],
)
def test_a_price_of_another_time_is_ignored(at: object, reason: str) -> None:
    assert validate(but(at=at)) == Quotes([], {reason: 1})


def test_clocks_may_differ_a_little_and_answers_may_be_a_little_old() -> None:
    assert len(validate(but(at="2026-11-21T12:01:00Z")).accepted) == 1
    assert len(validate(but(at="2026-11-21T22:45:00+11:00")).accepted) == 1


def test_a_clock_that_is_a_little_ahead_hides_no_quote_after_it() -> None:
    assert validate(but(at="2026-11-21T12:00:50Z")).accepted[0].at == NOON


@pytest.mark.parametrize("rate", ["0.5", "5", "0.000001", "100000"])
def test_two_currencies_that_contradict_each_other_are_rejected(rate: str) -> None:
    assert validate(but(price_usd=100, price_aud=100 * Decimal(rate))) == Quotes([], {"absurd": 1})


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("volume_24h_usd", -1, "negative"),
        ("volume_24h_aud", "many", "not_a_number"),
        ("market_cap_usd", Decimal("NaN"), "not_a_number"),
        ("market_cap_aud", 10**30, "absurd"),
        ("change_24h", Decimal("-1e30"), "absurd"),
        ("change_24h", Decimal("-1e999999999999999999"), "absurd"),
        ("change_24h", Decimal("-999999999999.9999999999999"), "absurd"),
        ("change_percentage_24h", Decimal("Infinity"), "not_a_number"),
        ("change_percentage_24h", Decimal("999999.99999"), "absurd"),
        ("high_24h", PRICE_LIMIT - Decimal("1e-13"), "absurd"),
        ("high_24h", False, "not_a_number"),
        ("low_24h", -5, "negative"),
    ],
)
def test_a_rejected_value_beside_a_price_is_left_out(field: str, value: Any, reason: str) -> None:
    answer = validate(but(**{field: value}))
    assert answer == Quotes(validate(GOOD).accepted, {reason: 1})


def test_a_range_that_is_upside_down_is_left_out() -> None:
    assert validate(but(high_24h=1, low_24h=2)) == Quotes(validate(GOOD).accepted, {"absurd": 1})


def test_each_symbol_counts_once_and_only_if_it_was_asked_for() -> None:
    second = but(price_usd=5, price_aud=8)
    answer = validate(GOOD, second, but(symbol="EVIL"), asked=("BTC", "ETH", "SOL"))
    assert answer.accepted == validate(GOOD).accepted
    assert answer.ignored == {"duplicate": 1, "unknown_symbol": 1, "missing": 2}


@pytest.mark.parametrize("factor", ["10", "0.1", "1000", "0.0001"])
def test_a_jump_is_accepted_when_it_is_reported_three_times(factor: str) -> None:
    validator = QuoteValidator({"BTC": validate(GOOD).accepted[0]}, AGE)
    price = GOOD.price_usd * Decimal(factor)  # type: ignore[operator]
    jump = but(price_usd=price, price_aud=price * Decimal("1.5"))
    for _ in range(2):
        assert validate(jump, validator=validator) == Quotes([], {"jump": 1})
    assert len(validate(jump, validator=validator).accepted) == 1
    assert validate(GOOD, validator=validator).ignored == {"jump": 1}


def test_an_ordinary_move_is_accepted_at_once_and_ends_a_quarantine() -> None:
    validator = QuoteValidator({"BTC": validate(GOOD).accepted[0]}, AGE)
    jump = but(price_usd=10**6, price_aud=10**6)
    for _ in range(3):
        validate(jump, validator=validator)
        assert len(validate(but(price_usd=50_000, price_aud=75_000), validator=validator).accepted) == 1


def test_doubts_that_contradict_each_other_do_not_add_up() -> None:
    validator = QuoteValidator({"BTC": validate(GOOD).accepted[0]}, AGE)
    high, higher = but(price_usd=10**7, price_aud=10**7), but(price_usd=10**9, price_aud=10**9)
    for raw in (high, higher, high, higher, high, higher):
        assert validate(raw, validator=validator) == Quotes([], {"jump": 1})


@given(st.lists(st.builds(RawQuote, st.sampled_from(["BTC", "ETH", "X"]), *([ANYTHING] * 11)), max_size=4))
def test_nothing_that_a_provider_says_breaks_it(raw_quotes: list[RawQuote]) -> None:
    answer = validate(*raw_quotes, GOOD, asked=("BTC", "ETH"))
    for quote in answer.accepted:
        assert Decimal(0) < quote.price_usd < PRICE_LIMIT
        assert quote.price_usd == quote.price_usd.quantize(Decimal("1e-12"))
        assert quote.at.tzinfo is UTC
    assert len({quote.symbol for quote in answer.accepted}) == len(answer.accepted)
    assert all(number > 0 for number in answer.ignored.values())


@given(ANYTHING)
def test_what_is_only_shown_is_in_range_or_not_there(value: Any) -> None:
    assert (part := share(value)) is None or 0 <= part <= 100
    assert (number := count(value)) is None or 0 <= number < 2**53
    assert (line := text(value, 5)) is None or (0 < len(line) <= 5 and line.isprintable())


def test_text_is_one_trimmed_line() -> None:
    assert text("  Bitcoin ", 10) == "Bitcoin"
    assert text("Bit\0coin", 10) is None
    assert text("Bit\ncoin", 10) is None
    assert text("", 10) is None
    assert text("Bitcoin", 6) is None

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.accounts.rules import identity, mails
from app.kit.errors import InvalidInput


@pytest.mark.parametrize(
    ("given_text", "stored"),
    [
        (" Alice@Example.COM\n", "alice@example.com"),
        ("o'brien+tag@mail.example.co.uk", "o'brien+tag@mail.example.co.uk"),
        ("a@b.c", "a@b.c"),
    ],
)
def test_an_email_is_trimmed_and_in_lower_case(given_text: str, stored: str) -> None:
    assert identity.email(given_text) == stored


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@example.com",
        "a@",
        "a@localhost",
        "a b@example.com",
        "a..b@example.com",
        ".a@example.com",
        "a@-x.com",
        "a@exa_mple.com",
        "a@b@c.de",
        "ä@example.com",
        "\N{KELVIN SIGN}@example.com",
        "a@example.com,b@example.com",
        f"a@{'b' * 64}.com",
    ],
)
def test_what_is_no_email_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        identity.email(text)


@given(st.text(max_size=80))
def test_whatever_passes_as_an_email_can_be_stored_and_mailed_to(text: str) -> None:
    try:
        stored = identity.email(text)
    except InvalidInput:
        return
    assert stored == stored.strip().lower() == identity.email(stored)
    mails.password_changed(stored)


@given(st.from_regex(r"\A[A-Za-z0-9.+_-]{1,20}@[A-Za-z0-9-]{1,20}\.[A-Za-z]{2,5}\Z"))
def test_likely_emails_can_be_mailed_to(text: str) -> None:
    try:
        stored = identity.email(text)
    except InvalidInput:
        return
    mails.verification(stored, "000000", "https://moneta.test/verify?token=t", 10)


@pytest.mark.parametrize(
    ("text", "stored"), [(" bitcoin2025 ", "BITCOIN2025"), ("btc-sovereign-k3qymq-01", "BTC-SOVEREIGN-K3QYMQ-01")]
)
def test_a_code_is_trimmed_and_in_capitals(text: str, stored: str) -> None:
    assert identity.access_code(text) == stored


@pytest.mark.parametrize("text", ["", "ABC", "-ABCD", "A BCD", "A" * 51, "ABC\x00D", "ß" * 4])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        identity.access_code(text)


def test_a_default_display_name_fits_and_reveals_nothing() -> None:
    name = identity.default_display_name("3f2a9c1b-0000-4000-8000-000000000000")
    assert identity.display_name(name) == name == "user-3f2a9c1b"

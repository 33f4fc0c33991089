"""What rows say of participants."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.domains.campaigns.imports.model import GivenRow, Record, RefusalReason
from app.domains.campaigns.imports.rules.rows import rows_of
from tests.domains.campaigns.fair import ETHEREUM, SOLANA

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DERIVED = "11111111111111111111111111111112"
"""An address that no private key has."""


def row(**cells: str) -> GivenRow:
    [made] = rows_of([Record(2, list(cells.values()))], list(cells), "Acme", NOW)
    return made


def fault(**cells: str) -> tuple[str | None, RefusalReason]:
    [found] = row(**cells).faults
    assert not any(len(each) > 3 and each in found.detail for each in cells.values())
    return found.field, found.reason


def test_cells_are_what_they_would_be_for_one_participant() -> None:
    made = row(
        telegram_id=" 7 ", username=" Al ", email="A@Example.com", referral_code="abc", has_notifications="No",
        is_verified="TRUE", attributes='{"tier": "gold"}', solana_address=SOLANA, ethereum_address=ETHEREUM.lower(),
        last_active_at="2026-11-21T13:00:00+01:00", first_name="",
    )  # fmt: skip
    assert made.faults == ()
    assert made.values == {
        "telegram_id": 7, "username": "Al", "email": "a@example.com", "referral_code": "ABC",
        "has_notifications": False, "is_verified": True, "last_active_at": NOW,
    }  # fmt: skip
    assert made.attributes == {"tier": "gold"}
    assert [each.address for each in made.wallets] == [SOLANA, ETHEREUM]


def test_a_wallet_has_the_type_of_the_seed() -> None:
    assert [each.network for each in row(wallet_address=SOLANA, wallet_type="").wallets] == ["solana"]
    assert [each.network for each in row(wallet_address=ETHEREUM, wallet_type="Ethereum").wallets] == ["ethereum"]
    twice: dict[str, Any] = {"wallet_address": SOLANA, "solana_address": SOLANA}
    assert fault(**twice) == ("solana_address", RefusalReason.INVALID)


@pytest.mark.parametrize(
    "text", ["1.23e9", "1.23E+18", "1,234", "7.0", "1 000", "'7.0", "-5", "0", "9" * 19, "x", "\u0661"]
)
def test_what_a_spreadsheet_makes_of_an_id_is_refused(text: str) -> None:
    assert fault(telegram_id=text) == ("telegram_id", RefusalReason.INVALID)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("username", "Moneta Support"), ("username", "ACME"), ("username", "a\x00b"), ("username", "\u3164"),
        ("email", "alice"), ("is_active", "maybe"), ("wallet_type", "bitcoin"), ("attributes", "[1]"),
        ("attributes", '{"a": 1}'), ("attributes", "{" * 5000), ("attributes.tier", "x" * 256),
        ("referral_code", "a b"),
        ("last_active_at", "2026-11-21T12:00:01Z"), ("last_active_at", "yesterday"), ("last_active_at", "2026-11-21"),
        ("solana_address", "0x12"), ("solana_address", DERIVED), ("ethereum_address", "0x12"),
        ("ethereum_address", ETHEREUM.replace("E", "e", 1)), ("locale", "xx_yy"), ("time_zone", "Mars"),
    ],
)  # fmt: skip
def test_values_are_refused_under_their_fields(field: str, text: str) -> None:
    found = {each.field for each in row(**{"telegram_id": "7", field: text}).faults}
    assert found == {"attributes" if field.startswith("attributes") else field}


def test_an_address_that_was_derived_may_be_allowed() -> None:
    assert row(solana_address=DERIVED, solana_off_curve="yes").faults == ()


def test_all_faults_of_a_row_are_named() -> None:
    assert {each.field for each in row(telegram_id="7.0", email="x", solana_address="y").faults} == {
        "telegram_id", "email", "solana_address",
    }  # fmt: skip


def test_a_row_has_no_more_cells_than_the_header_and_may_have_fewer() -> None:
    for cells, is_in_order in ((["7", "Al", ""], True), (["7"], True), (["7", "Al", "x"], False)):
        [made] = rows_of([Record(2, cells)], ["telegram_id", "username"], "Acme", NOW)
        assert (made.faults == ()) is is_in_order

"""What a participant may be called and set to."""

from typing import Any

import pytest

from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.participants.model import Attribute, NamedWallet, NewParticipant
from app.domains.campaigns.participants.rules import checked
from app.kit.errors import InvalidInput
from tests.domains.campaigns.fair import ETHEREUM, SOLANA
from tests.domains.campaigns.networks.test_rules import PROGRAM_DERIVED

HUGE = "x" * 10_000_000


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"username": None}, ["telegram_id"]),
        ({"telegram_id": 0}, ["telegram_id"]),
        ({"telegram_id": 2**63}, ["telegram_id"]),
        ({"telegram_id": 10**78}, ["telegram_id"]),
        ({"discord_id": "a b"}, ["discord_id"]),
        ({"discord_id": HUGE}, ["discord_id"]),
        ({"username": " ", "first_name": "\u2800", "last_name": "x" * 256}, ["username", "first_name", "last_name"]),
        ({"username": "Al\u0456ce"}, ["username"]),
        ({"username": HUGE}, ["username"]),
        ({"email": "x"}, ["email"]),
        ({"locale": "de_AT"}, ["locale"]),
        ({"time_zone": "Vienna"}, ["time_zone"]),
        ({"referral_code": "\u00c4"}, ["referral_code"]),
        ({"referral_code": "x" * 21, "referrer_code": ""}, ["referral_code", "referrer_code"]),
        ({"referral_code": HUGE}, ["referral_code"]),
        ({"attributes": (Attribute("a", "1"), Attribute("a", "2"))}, ["attributes"]),
        ({"attributes": tuple(Attribute(f"a{each}", "") for each in range(51))}, ["attributes"]),
        (
            {"attributes": (Attribute("a", HUGE), Attribute("1", "\x00"))},
            ["attributes.0.value", "attributes.1.name", "attributes.1.value"],
        ),
        ({"wallets": (NamedWallet(Network.SOLANA, ETHEREUM),)}, ["wallets.0.address"]),
        ({"wallets": (NamedWallet(Network.SOLANA, PROGRAM_DERIVED),)}, ["wallets.0.address"]),
        ({"wallets": (NamedWallet(Network.INTERNAL, ETHEREUM),)}, ["wallets.0.address"]),
        ({"wallets": (NamedWallet(Network.SOLANA, SOLANA), NamedWallet(Network.SOLANA, SOLANA))}, ["wallets"]),
    ],
)
def test_all_that_is_wrong_is_named(given: dict[str, Any], fields: list[str]) -> None:
    plain: dict[str, Any] = {"username": "alice"}
    with pytest.raises(InvalidInput) as refused:
        checked(NewParticipant(**plain | given))
    assert [".".join(each.path) for each in refused.value.fields] == fields


def test_a_participant_is_stored_in_one_form() -> None:
    wallets = (NamedWallet(Network.SOLANA, PROGRAM_DERIVED, True), NamedWallet(Network.ETHEREUM, ETHEREUM.lower()))
    made = checked(
        NewParticipant(
            telegram_id=2**63 - 1, username=" Alice ", email="A@Example.com", referral_code=" ab-1 ", wallets=wallets
        )
    )
    assert (made.telegram_id, made.username, made.email, made.referral_code) == (
        2**63 - 1,
        "Alice",
        "a@example.com",
        "AB-1",
    )
    assert made.wallets[1].address == ETHEREUM

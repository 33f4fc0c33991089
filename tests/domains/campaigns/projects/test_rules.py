"""What a project may be."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.projects.model import (
    MAX_AMOUNT,
    ClaimLevel,
    Distribution,
    FixedDistribution,
    LevelDistribution,
    NewProject,
    PointsDistribution,
    Requirements,
    distribution_of,
    in_tokens,
    stored_distribution,
)
from app.domains.campaigns.projects.rules import claim_amount, claimed, new_terms
from app.kit.errors import InvalidInput
from tests.domains.campaigns.fair import ETHEREUM, SOLANA

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
FIXED = FixedDistribution(5)
PLAIN: dict[str, Any] = {"name": "Drop", "distribution": FIXED}
LEVELS = LevelDistribution((ClaimLevel(2, 50), ClaimLevel(5, 20)))
amounts = st.integers(1, MAX_AMOUNT)


@given(amounts, st.integers(0, 36))
def test_an_amount_in_tokens_is_exact(amount: int, decimals: int) -> None:
    whole, fraction = divmod(amount, 10**decimals)
    text = f"{whole}.{fraction:0{decimals}d}" if decimals else str(whole)
    assert format(in_tokens(amount, decimals), "f") == text
    assert format(in_tokens(Decimal(amount), decimals), "f") == text


@given(
    st.one_of(
        st.builds(FixedDistribution, amounts),
        st.builds(PointsDistribution, amounts, amounts),
        st.builds(
            LevelDistribution, st.lists(st.builds(ClaimLevel, st.integers(0, 9), amounts), min_size=1).map(tuple)
        ),
    )
)
def test_a_distribution_is_read_as_it_was_stored(distribution: Distribution) -> None:
    stored = stored_distribution(distribution)
    assert distribution_of(stored) == distribution
    assert not any(isinstance(value, int) for value in stored.values())


def test_what_a_claim_is() -> None:
    points = PointsDistribution(3, 10)
    assert [claimed(FIXED, 0, 0), claim_amount(FIXED)] == [5, 5]
    assert [claimed(points, each, 1) for each in (-1, 0, 2, 4, 10**9)] == [0, 0, 6, 10, 10]
    assert claim_amount(points) == 10
    # Of the highest level that was reached, even if it is less.
    assert [claimed(LEVELS, 0, each) for each in (1, 2, 4, 5, 9)] == [0, 50, 50, 20, 20]
    assert claim_amount(LEVELS) == 50


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"name": " "}, ["name"]),
        ({"name": "\u3164"}, ["name"]),
        ({"name": "P\u0430yPal"}, ["name"]),
        ({"name": "x" * 256}, ["name"]),
        ({"name": "x" * 10_000_000}, ["name"]),
        ({"name": "a\x00b"}, ["name"]),
        ({"description": " "}, ["description"]),
        ({"description": "x" * 10_001}, ["description"]),
        ({"description": "\ud800"}, ["description"]),
        ({"token_name": "x" * 101, "token_symbol": "x" * 21}, ["token_name", "token_symbol"]),
        ({"token_symbol": "\u0405OL"}, ["token_symbol"]),
        ({"token_decimals": 37}, ["token_decimals"]),
        ({"token_decimals": -1}, ["token_decimals"]),
        ({"total_supply": 10**78}, ["total_supply"]),
        ({"total_supply": 0}, ["total_supply"]),
        ({"total_supply": 4}, ["total_supply"]),
        ({"token_address": SOLANA}, ["token_address"]),
        ({"network": Network.SOLANA, "token_address": ETHEREUM}, ["token_address"]),
        ({"network": Network.ETHEREUM, "token_address": SOLANA}, ["token_address"]),
        ({"network": Network.ETHEREUM, "token_address": ETHEREUM[:2] + ETHEREUM[2:].swapcase()}, ["token_address"]),
        ({"distribution": None}, ["distribution"]),
        ({"distribution": FixedDistribution(0)}, ["distribution.fixed.claim_amount"]),
        ({"distribution": FixedDistribution(10**78)}, ["distribution.fixed.claim_amount"]),
        (
            {"distribution": PointsDistribution(0, -1)},
            ["distribution.by_points.amount_per_point", "distribution.by_points.max_claim_amount"],
        ),
        ({"distribution": LevelDistribution(())}, ["distribution.by_level.claim_levels"]),
        (
            {"distribution": LevelDistribution((ClaimLevel(2, 1), ClaimLevel(2, 1)))},
            ["distribution.by_level.claim_levels"],
        ),
        (
            {"distribution": LevelDistribution((ClaimLevel(-1, 0),))},
            ["distribution.by_level.claim_levels.0.claim_amount", "distribution.by_level.claim_levels.0.min_level"],
        ),
        ({"max_participants": 0, "max_claims_per_participant": 0}, ["max_participants", "max_claims_per_participant"]),
        ({"starts_at": NOW + timedelta(2), "ends_at": NOW + timedelta(1)}, ["ends_at"]),
        ({"starts_at": NOW + timedelta(1), "ends_at": NOW + timedelta(1)}, ["ends_at"]),
        ({"ends_at": NOW}, ["ends_at"]),
        ({"requirements": Requirements(min_account_age_ms=-1)}, ["requirements.min_account_age_ms"]),
        ({"requirements": Requirements(allowed_countries=())}, ["requirements.allowed_countries"]),
        ({"requirements": Requirements(allowed_countries=("at",))}, ["requirements.allowed_countries"]),
    ],
)
def test_all_that_is_wrong_is_named(given: dict[str, Any], fields: list[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        new_terms(NewProject(**{**PLAIN, **given}), None, NOW)
    assert [".".join(each.path) for each in refused.value.fields] == fields


def test_a_project_has_what_is_not_given_by_default_or_from_its_original() -> None:
    plain = new_terms(NewProject(name=" Drop ", distribution=FIXED), None, NOW)
    assert (plain.name, plain.network, plain.token_decimals, plain.is_public) == ("Drop", Network.INTERNAL, 9, True)
    original = new_terms(
        NewProject(
            name="Drop",
            network=Network.ETHEREUM,
            token_address=ETHEREUM.lower(),
            token_decimals=0,
            distribution=LEVELS,
            is_public=False,
            ends_at=NOW + timedelta(1),
            requirements=Requirements(allowed_countries=("DE", "AT", "DE")),
        ),
        None,
        NOW,
    )
    assert (original.token_address, original.requirements.allowed_countries) == (ETHEREUM, ("AT", "DE"))
    clone = new_terms(NewProject(name="Again", is_public=True), original, NOW)
    assert (clone.token_address, clone.distribution, clone.is_public) == (ETHEREUM, LEVELS, True)
    assert (clone.token_decimals, clone.ends_at) == (0, None)
    elsewhere = new_terms(NewProject(name="Again", network=Network.SOLANA), original, NOW)
    assert (elsewhere.network, elsewhere.token_address) == (Network.SOLANA, None)

"""What a new list of tokens changes."""

from uuid import UUID, uuid4

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domains.market.tokens.model import Listing
from app.domains.market.tokens.rules.listing import SYMBOL_LENGTH, KnownToken, ListingPlan, plan_listing

LISTINGS = st.lists(
    st.builds(
        Listing,
        coingecko_id=st.sampled_from("abcdefgh"),
        symbol=st.sampled_from("ABCDEFGH"),
        name=st.just("Name"),
        market_cap_rank=st.integers(1, 9),
    ),
    max_size=10,
)


def listing(id: str, symbol: str, rank: int = 1, *, image_url: str | None = None) -> Listing:
    return Listing(id, symbol, id.capitalize(), rank, image_url)


def known(id: str, symbol: str, rank: int = 1, *, active: bool = True, image_url: str | None = None) -> KnownToken:
    return KnownToken(uuid4(), listing(id, symbol, rank if active else 0, image_url=image_url), active)


def carried_out(before: list[KnownToken], plan: ListingPlan) -> list[KnownToken]:
    """What is stored once the plan is."""
    changed, retired = dict(plan.changed), dict(plan.retired)
    after = []
    for token in before:
        if token.id in changed:
            after.append(KnownToken(token.id, changed[token.id], True))
        elif token.id in retired:
            gone = msgspec.structs.replace(token.listing, symbol=retired[token.id], market_cap_rank=0)
            after.append(KnownToken(token.id, gone, False))
        else:
            after.append(token)
    return after + [KnownToken(uuid4(), new, True) for new in plan.added]


def test_the_first_list_is_added() -> None:
    plan = plan_listing([], [listing("bitcoin", "BTC"), listing("ethereum", "ETH", 2)])
    assert plan == ListingPlan([listing("bitcoin", "BTC"), listing("ethereum", "ETH", 2)], [], [], 0)


def test_the_same_list_changes_nothing() -> None:
    before = [known("bitcoin", "BTC"), known("ethereum", "ETH", 2)]
    plan = plan_listing(before, [listing("ethereum", "ETH", 2), listing("bitcoin", "BTC")])
    assert plan == ListingPlan([], [], [], 0)


def test_the_better_rank_keeps_a_symbol_that_two_want() -> None:
    plan = plan_listing([], [listing("small", "DUP", 9), listing("large", "DUP", 3)])
    assert plan.added == [listing("large", "DUP", 3)]
    assert plan.skipped == 1


def test_a_token_survives_a_new_symbol_and_a_new_id() -> None:
    renamed, moved = known("matic-network", "MATIC"), known("gala", "GALA", 2)
    plan = plan_listing([renamed, moved], [listing("matic-network", "POL"), listing("gala-v2", "GALA", 2)])
    assert plan.changed == [(renamed.id, listing("matic-network", "POL")), (moved.id, listing("gala-v2", "GALA", 2))]
    assert plan.added == []
    assert plan.retired == []


def test_two_may_swap_their_symbols() -> None:
    one, other = known("one", "AAA"), known("other", "BBB", 2)
    plan = plan_listing([one, other], [listing("one", "BBB"), listing("other", "AAA", 2)])
    assert {id: new.symbol for id, new in plan.changed} == {one.id: "BBB", other.id: "AAA"}


def test_what_is_not_listed_any_more_is_retired_once_and_returns() -> None:
    gone, stays = known("gone", "GONE"), known("stays", "STAYS", 2)
    plan = plan_listing([gone, stays], [listing("stays", "STAYS", 2)])
    assert plan.retired == [(gone.id, "GONE")]
    after = carried_out([gone, stays], plan)
    assert plan_listing(after, [listing("stays", "STAYS", 2)]) == ListingPlan([], [], [], 0)
    back = plan_listing(after, [listing("stays", "STAYS", 2), listing("gone", "GONE", 7)])
    assert back.changed == [(gone.id, listing("gone", "GONE", 7))]


def test_a_retired_token_gives_up_a_symbol_that_another_has_now() -> None:
    old, heir = known("old", "LUNA"), known("heir", "LUNA2", 2)
    plan = plan_listing([old, heir], [listing("heir", "LUNA", 2)])
    assert plan.changed == [(heir.id, listing("heir", "LUNA", 2))]
    assert plan.retired == [(old.id, f"LUNA~{old.id.hex[:6].upper()}")]


def test_a_list_that_says_less_takes_nothing_away() -> None:
    before = known("bitcoin", "BTC", image_url="https://images.example/btc.png")
    assert plan_listing([before], [listing("bitcoin", "BTC")]) == ListingPlan([], [], [], 0)


def test_another_providers_id_does_not_replace_coingeckos() -> None:
    before = known("bitcoin", "BTC")
    assert plan_listing([before], [msgspec.structs.replace(before.listing, coingecko_id="cmc-1")]).changed == []
    foreign = known("cmc-1", "BTC")
    assert plan_listing([foreign], [listing("bitcoin", "BTC")]).changed == [(foreign.id, listing("bitcoin", "BTC"))]


@settings(max_examples=200)
@given(lists=st.lists(LISTINGS, min_size=1, max_size=4))
def test_whatever_is_listed_ids_and_symbols_stay_unique_and_nobody_is_lost(lists: list[list[Listing]]) -> None:
    stored: list[KnownToken] = []
    for listings in lists:
        ids: set[UUID] = {token.id for token in stored}
        stored = carried_out(stored, plan_listing(stored, listings))
        assert ids <= {token.id for token in stored}
        assert len({token.listing.symbol for token in stored}) == len(stored)
        assert len({token.listing.coingecko_id for token in stored}) == len(stored)
        assert {token.listing.symbol for token in stored if token.is_active} == {
            each.symbol for each in _best(listings)
        }
        assert all(len(token.listing.symbol) <= SYMBOL_LENGTH for token in stored)
        again = plan_listing(stored, listings)
        assert (again.added, again.changed, again.retired) == ([], [], [])


def _best(listings: list[Listing]) -> list[Listing]:
    return plan_listing([], listings).added

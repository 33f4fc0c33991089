"""Linking users to participants."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.participants.model import (
    CHALLENGE_TTL,
    LINK_TTL,
    AlreadyLinked,
    ChallengeInvalid,
    LinkInvalid,
    NobodyHasWallet,
)
from app.kit.errors import InvalidInput, NotFound
from tests.domains.campaigns.fair import ETHEREUM, SOLANA, Fair, in_test_mode
from tests.domains.campaigns.participants.test_proofs import WALLETS, signed, verified


async def test_a_user_is_linked_once_by_a_token_that_is_good_once(fair: Fair) -> None:
    first, second, links = await fair.participant(), await fair.participant(), fair.services.links
    alice, bob = fair.office.alice, fair.office.bob
    replaced = await links.issue(fair.alice, first)
    link = await links.issue(fair.alice, first)
    assert link.token not in repr(link)
    for token in (replaced.token, "x", "", "\ud800"):
        with pytest.raises(LinkInvalid):
            await links.link(bob, token)
    calls = (links.link(each, link.token) for each in (bob, alice, bob, alice))
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert [each for each in done if isinstance(each, UUID)] == [first]
    assert sum(isinstance(each, LinkInvalid) for each in done) == 3
    with pytest.raises(AlreadyLinked):
        await links.issue(fair.alice, first)
    linked = (await fair.row("participants", first))["user_id"]
    who, other = (bob, alice) if linked == bob.user_id else (alice, bob)
    link = await links.issue(fair.alice, second)
    with pytest.raises(AlreadyLinked):
        await links.link(who, link.token)
    fair.office.clock.advance(LINK_TTL)
    with pytest.raises(LinkInvalid):
        await links.link(other, link.token)
    link = await links.issue(fair.alice, second)
    await fair.office.services.tenants.delete(fair.alice)
    with pytest.raises(LinkInvalid):
        await links.link(other, link.token)


async def test_nobody_links_who_is_not_there(fair: Fair) -> None:
    with pytest.raises(NotFound):
        await fair.services.links.issue(fair.alice, uuid4())


ADDRESSES = {Network.SOLANA: SOLANA, Network.ETHEREUM: ETHEREUM}


@pytest.mark.parametrize("network", [Network.SOLANA, Network.ETHEREUM])
async def test_a_user_is_linked_to_the_participant_whose_wallet_signs(fair: Fair, network: Network) -> None:
    links, bob, alice = fair.services.links, fair.office.bob, fair.office.alice
    id = await fair.participant(wallets=WALLETS)
    # Those for tests are nobody's.
    await fair.participant(in_test_mode(fair.alice), wallets=WALLETS)
    replaced = await links.start(bob, "acme", network, ADDRESSES[network])
    asked = await links.start(bob, "acme", network, ADDRESSES[network])
    assert (asked.typed_data is not None) is (network is Network.ETHEREUM)
    assert all(text in asked.message for text in ("acme", str(bob.user_id), asked.address))
    for wrong in (replaced.message, "hello"):
        with pytest.raises(InvalidInput):
            await links.link_by_wallet(bob, "acme", network, signed(wrong, network))
    signature = signed(asked.message, network)
    with pytest.raises(ChallengeInvalid):
        await links.link_by_wallet(alice, "acme", network, signature)
    calls = (links.link_by_wallet(bob, "acme", network, signature) for _ in range(5))
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert [each for each in done if isinstance(each, UUID)] == [id]
    assert sum(isinstance(each, ChallengeInvalid) for each in done) == 4
    assert (await fair.row("participants", id))["user_id"] == bob.user_id
    assert await verified(fair, id) == [network]
    asked = await links.start(alice, "acme", network, ADDRESSES[network])
    with pytest.raises(AlreadyLinked):
        await links.link_by_wallet(alice, "acme", network, signed(asked.message, network))


async def test_a_token_of_who_was_linked_by_a_wallet_meanwhile_links_nobody_else(fair: Fair) -> None:
    links, bob, alice, network = fair.services.links, fair.office.bob, fair.office.alice, Network.SOLANA
    id = await fair.participant(wallets=WALLETS)
    link = await links.issue(fair.alice, id)
    asked = await links.start(bob, "acme", network, SOLANA)
    assert await links.link_by_wallet(bob, "acme", network, signed(asked.message, network)) == id
    with pytest.raises(AlreadyLinked):
        await links.link(alice, link.token)
    assert (await fair.row("participants", id))["user_id"] == bob.user_id


async def test_a_wallet_of_several_is_nobodys_until_one_has_proven_it(fair: Fair) -> None:
    links, proofs, bob, network = fair.services.links, fair.services.proofs, fair.office.bob, Network.SOLANA
    asked = await links.start(bob, "acme", network, SOLANA)
    signature = signed(asked.message, network)
    with pytest.raises(NobodyHasWallet):
        await links.link_by_wallet(bob, "acme", network, signature)
    ids = [await fair.participant(wallets=WALLETS) for _ in range(3)]
    with pytest.raises(NobodyHasWallet):
        await links.link_by_wallet(bob, "acme", network, signature)
    proof = await proofs.start(fair.alice, ids[1], network)
    await proofs.verify(fair.alice, ids[1], network, signed(proof.message, network))
    assert await links.link_by_wallet(bob, "acme", network, signature) == ids[1]
    linked = await fair.office.owner.fetch("SELECT id FROM participants WHERE user_id IS NOT NULL")
    assert [row["id"] for row in linked] == [ids[1]]


async def test_what_is_signed_expires_and_is_for_an_open_tenant(fair: Fair) -> None:
    links, bob, network = fair.services.links, fair.office.bob, Network.SOLANA
    await fair.participant(wallets=WALLETS)
    with pytest.raises(NotFound):
        await links.start(bob, "nobody", network, SOLANA)
    with pytest.raises(InvalidInput):
        await links.start(bob, "acme", network, ETHEREUM)
    asked = await links.start(bob, "acme", network, SOLANA)
    fair.office.clock.advance(CHALLENGE_TTL)
    with pytest.raises(ChallengeInvalid):
        await links.link_by_wallet(bob, "acme", network, signed(asked.message, network))
    asked = await links.start(bob, "acme", network, SOLANA)
    await fair.office.services.tenants.delete(fair.alice)
    with pytest.raises(NotFound):
        await links.link_by_wallet(bob, "acme", network, signed(asked.message, network))
    fair.office.clock.advance(CHALLENGE_TTL + timedelta(seconds=1))
    assert await links.remove_expired() == "done"
    assert await fair.office.owner.fetchval("SELECT count(*) FROM participant_link_challenges") == 0

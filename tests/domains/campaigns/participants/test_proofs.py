"""Proving whose a wallet is, and linking users."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.participants.model import (
    CHALLENGE_TTL,
    ChallengeInvalid,
    NamedWallet,
    ParticipantChanges,
    WalletProven,
)
from app.kit.errors import InvalidInput, NotFound
from tests.domains.campaigns.fair import ETHEREUM, ETHEREUM_SECRET, SOLANA, SOLANA_KEY, Fair, in_test_mode
from tests.domains.campaigns.signing import signed_by_ethereum

WALLETS = (NamedWallet(Network.SOLANA, SOLANA), NamedWallet(Network.ETHEREUM, ETHEREUM))


def signed(message: str, network: Network) -> str:
    if network is Network.SOLANA:
        return str(SOLANA_KEY.sign_message(message.encode()))
    return signed_by_ethereum(int(ETHEREUM_SECRET, 16), message.encode())


async def verified(fair: Fair, id: UUID) -> list[str]:
    sql = "SELECT network FROM participant_wallets WHERE participant_id = $1 AND verified_at IS NOT NULL ORDER BY 1"
    return [row[0] for row in await fair.office.owner.fetch(sql, id)]


async def named(fair: Fair, address: str) -> list[UUID]:
    """Who is said to have a wallet."""
    sql = "SELECT participant_id FROM participant_wallets WHERE address = $1"
    return [row[0] for row in await fair.office.owner.fetch(sql, address)]


@pytest.mark.parametrize("network", [Network.SOLANA, Network.ETHEREUM])
async def test_a_wallet_is_proven_once_by_what_was_asked(fair: Fair, network: Network) -> None:
    id, proofs = await fair.participant(wallets=WALLETS), fair.services.proofs
    with pytest.raises(ChallengeInvalid):
        await proofs.verify(fair.alice, id, network, signed("hello", network))
    replaced = await proofs.start(fair.alice, id, network)
    asked = await proofs.start(fair.alice, id, network)
    assert asked.message != replaced.message
    assert all(text in asked.message for text in (asked.address, str(id), "acme"))
    for wrong in (replaced.message, asked.message + " ", "hello"):
        with pytest.raises(InvalidInput):
            await proofs.verify(fair.alice, id, network, signed(wrong, network))
    signature = signed(asked.message, network)
    with pytest.raises(ChallengeInvalid):
        await proofs.verify(in_test_mode(fair.alice), id, network, signature)
    assert await verified(fair, id) == []
    calls = (proofs.verify(fair.alice, id, network, signature) for _ in range(5))
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["ChallengeInvalid"] * 4 + ["NoneType"]
    assert await verified(fair, id) == [network]


async def test_a_message_expires_and_is_for_one_address(fair: Fair) -> None:
    id, proofs = await fair.participant(wallets=WALLETS), fair.services.proofs
    asked = await proofs.start(fair.alice, id, Network.SOLANA)
    fair.office.clock.advance(CHALLENGE_TTL)
    with pytest.raises(ChallengeInvalid):
        await proofs.verify(fair.alice, id, Network.SOLANA, signed(asked.message, Network.SOLANA))
    asked = await proofs.start(fair.alice, id, Network.SOLANA)
    other = (NamedWallet(Network.SOLANA, "1" * 32),)
    await fair.services.participants.update(fair.alice, id, ParticipantChanges(wallets=other))
    with pytest.raises(ChallengeInvalid):
        await proofs.verify(fair.alice, id, Network.SOLANA, signed(asked.message, Network.SOLANA))
    with pytest.raises(NotFound):
        await proofs.start(fair.alice, id, Network.ETHEREUM)
    fair.office.clock.advance(CHALLENGE_TTL + timedelta(seconds=1))
    assert await proofs.remove_expired() == "done"
    assert await fair.office.owner.fetchval("SELECT count(*) FROM wallet_challenges") == 0


async def test_a_wallet_is_proven_by_one_participant_and_stays_proven(fair: Fair) -> None:
    ids = [await fair.participant(wallets=WALLETS) for _ in range(2)]
    proofs, network = fair.services.proofs, Network.SOLANA
    asked = [await proofs.start(fair.alice, each, network) for each in ids]
    calls = (
        proofs.verify(fair.alice, id, network, signed(each.message, network))
        for id, each in zip(ids, asked, strict=True)
    )
    done = await asyncio.gather(*calls, return_exceptions=True)
    [refused] = [each for each in done if each is not None]
    # The later one had not begun yet, or waited: its wallet is gone with its message, or is another's.
    assert isinstance(refused, ChallengeInvalid | WalletProven)
    [proven] = [id for id in ids if await verified(fair, id)]
    await fair.services.participants.update(fair.alice, proven, ParticipantChanges(wallets=WALLETS[:1]))
    assert await verified(fair, proven) == ["solana"]
    [other] = [id for id in ids if id != proven]
    assert await named(fair, SOLANA) == [proven]
    with pytest.raises(NotFound):
        await proofs.start(fair.alice, other, network)
    await fair.services.participants.update(fair.alice, other, ParticipantChanges(wallets=WALLETS))
    again = await proofs.start(fair.alice, other, network)
    with pytest.raises(WalletProven):
        await proofs.verify(fair.alice, other, network, signed(again.message, network))
    await fair.services.participants.update(fair.alice, proven, ParticipantChanges(wallets=()))
    await proofs.verify(fair.alice, other, network, signed(again.message, network))


async def test_who_proves_a_wallet_takes_it_from_who_has_only_named_it(fair: Fair) -> None:
    proofs, network = fair.services.proofs, Network.SOLANA
    first, owner = [await fair.participant(wallets=WALLETS) for _ in range(2)]
    test = await fair.participant(in_test_mode(fair.alice), wallets=WALLETS)
    await fair.office.found("other", by=fair.office.bob)
    elsewhere = await fair.participant(await fair.office.acting(fair.office.bob, "other"), wallets=WALLETS)
    await proofs.start(fair.alice, first, network)
    asked = await proofs.start(fair.alice, owner, network)
    with pytest.raises(InvalidInput):
        await proofs.verify(fair.alice, owner, network, signed("hello", network))
    assert {*await named(fair, SOLANA)} == {first, owner, test, elsewhere}
    await proofs.verify(fair.alice, owner, network, signed(asked.message, network))
    assert {*await named(fair, SOLANA)} == {owner, test, elsewhere}
    assert {*await named(fair, ETHEREUM)} == {first, owner, test, elsewhere}
    assert await verified(fair, owner) == ["solana"]
    [removed] = await fair.office.owner.fetch(
        "SELECT user_id, details -> 'old' ->> 'address' FROM audit_logs"
        " WHERE resource_type = 'participant_wallets' AND action = 'delete' AND resource_id = $1",
        str(first),
    )
    assert tuple(removed) == (fair.office.alice.user_id, SOLANA)
    # Who names it again has it no more than anybody.
    await fair.services.participants.update(fair.alice, first, ParticipantChanges(wallets=WALLETS))
    again = await proofs.start(fair.alice, first, network)
    with pytest.raises(WalletProven):
        await proofs.verify(fair.alice, first, network, signed(again.message, network))
    assert (await verified(fair, owner), await verified(fair, first)) == (["solana"], [])


async def test_of_forty_who_prove_one_wallet_at_once_one_has_it(fair: Fair) -> None:
    proofs, network = fair.services.proofs, Network.SOLANA
    ids = [await fair.participant(wallets=WALLETS) for _ in range(40)]
    asked = [await proofs.start(fair.alice, each, network) for each in ids]
    signatures = [signed(each.message, network) for each in asked]
    calls = (proofs.verify(fair.alice, id, network, each) for id, each in zip(ids, signatures, strict=True))
    done = await asyncio.gather(*calls, return_exceptions=True)
    [proven] = [id for id, each in zip(ids, done, strict=True) if each is None]
    assert {type(each) for each in done if each is not None} <= {ChallengeInvalid, WalletProven}
    assert await named(fair, SOLANA) == [proven]
    assert await verified(fair, proven) == ["solana"]

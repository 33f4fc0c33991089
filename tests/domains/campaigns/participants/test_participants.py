"""Creating and changing participants, and who has referred whom."""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from itertools import chain, repeat
from typing import Any
from uuid import UUID

import pytest

from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.participants.model import (
    Attribute,
    NamedWallet,
    NewParticipant,
    ParticipantChanges,
    ParticipantExists,
    ReferralRefused,
)
from app.domains.tenancy.tenants.model.tenants import MemberRole, PlanChanges, SubscriptionStatus, TenantNotActive
from app.kit.errors import Forbidden, IdempotencyKeyReused, InvalidInput, NotFound, ResultDeleted
from tests.domains.campaigns.fair import ETHEREUM, SOLANA, Fair, in_test_mode


async def gathered(calls: Sequence[Awaitable[Any]]) -> list[Any]:
    return await asyncio.gather(*calls, return_exceptions=True)


async def referrals(fair: Fair) -> tuple[int, int]:
    """The sum of all counters, and how many were referred."""
    sql = "SELECT coalesce(sum(total_referrals), 0), count(referred_by) FROM participants"
    row = await fair.office.owner.fetchrow(sql)
    assert row is not None
    return int(row[0]), int(row[1])


async def test_a_participant_is_stored_as_given(fair: Fair) -> None:
    wallets = (NamedWallet(Network.SOLANA, SOLANA), NamedWallet(Network.ETHEREUM, ETHEREUM.lower()))
    id = await fair.participant(telegram_id=7, attributes=(Attribute("tier", "gold"),), wallets=wallets)
    row = await fair.row("participants", id)
    assert (row["telegram_id"], row["attributes"]) == (7, '{"tier": "gold"}')
    owned = "SELECT string_agg(address, ' ' ORDER BY address) FROM participant_wallets WHERE participant_id = $1"
    assert await fair.office.owner.fetchval(owned, id) == f"{ETHEREUM} {SOLANA}"
    assert len(row["referral_code"]) == 10
    assert row["last_active_at"] == row["created_at"] == fair.office.clock.now()


async def test_an_id_is_had_once_in_a_tenant_and_a_mode(fair: Fair) -> None:
    given: dict[str, Any] = {"telegram_id": 7, "discord_id": "d", "referral_code": "CODE"}
    await fair.participant(**given)
    for field, value in given.items():
        with pytest.raises(ParticipantExists) as refused:
            await fair.participant(**{"username": "other", field: value})
        assert refused.value.path == (field,)
    await fair.participant(in_test_mode(fair.alice), **given)
    await fair.office.found("other", by=fair.office.bob)
    await fair.participant(await fair.office.acting(fair.office.bob, "other"), **given)
    other = await fair.participant()
    with pytest.raises(ParticipantExists):
        await fair.services.participants.update(fair.alice, other, ParticipantChanges(referral_code="code"))


async def test_of_many_at_once_with_one_id_there_is_one(fair: Fair) -> None:
    made = await gathered([fair.participant(telegram_id=7) for _ in range(30)])
    assert sum(isinstance(each, UUID) for each in made) == 1
    assert {type(each) for each in made} == {UUID, ParticipantExists}


async def test_a_drawn_code_that_is_taken_is_drawn_again(fair: Fair) -> None:
    drawn = chain(repeat("AAAA", 3), ["BBBB"])
    fair.services.participants.__dict__["new_code"] = lambda: next(drawn)
    ids = [await fair.participant(), await fair.participant()]
    assert [(await fair.row("participants", each))["referral_code"] for each in ids] == ["AAAA", "BBBB"]


async def test_a_replay_is_the_same_participant(fair: Fair) -> None:
    new, create = NewParticipant(telegram_id=7), fair.services.participants.create
    id = await create(fair.alice, new, "key")
    assert await create(fair.alice, new, "key") == id
    with pytest.raises(IdempotencyKeyReused):
        await create(fair.alice, NewParticipant(telegram_id=8), "key")
    await fair.office.owner.execute("DELETE FROM participants")
    with pytest.raises(ResultDeleted):
        await create(fair.alice, new, "key")


async def test_every_referral_counts_once(fair: Fair) -> None:
    first = await fair.participant(referral_code="FIRST")
    others = await gathered([fair.participant(referrer_code="first") for _ in range(40)])
    assert all(isinstance(each, UUID) for each in others)
    assert (await fair.row("participants", first))["total_referrals"] == 40
    second = await fair.participant(referral_code="SECOND")
    moved = [ParticipantChanges(referrer_code="SECOND" if number % 2 else None) for number in range(40)]
    update = fair.services.participants.update
    done = await gathered([update(fair.alice, id, each) for id, each in zip(others, moved, strict=True)])
    assert set(done) == {None}
    assert (await fair.row("participants", first))["total_referrals"] == 0
    assert (await fair.row("participants", second))["total_referrals"] == 20
    assert await referrals(fair) == (20, 20)


async def test_nobody_refers_themself_even_by_way_of_others_and_at_once(fair: Fair) -> None:
    ids = [await fair.participant(referral_code=f"P{number}") for number in range(6)]
    update = fair.services.participants.update
    with pytest.raises(ReferralRefused):
        await update(fair.alice, ids[0], ParticipantChanges(referrer_code="P0"))
    # Everybody is to be referred by the next one, at once: the last of them would close the circle.
    calls = [update(fair.alice, ids[each], ParticipantChanges(referrer_code=f"P{(each + 1) % 6}")) for each in range(6)]
    done = await gathered(calls)
    assert sum(isinstance(each, ReferralRefused) for each in done) == 1
    assert await referrals(fair) == (5, 5)
    for code in ("NOBODY",):
        for refused in (fair.participant(referrer_code=code), fair.participant(referrer_code=code, referral_code=code)):
            with pytest.raises(InvalidInput):
                await refused
    # Of another mode, or tenant.
    with pytest.raises(InvalidInput):
        await fair.participant(in_test_mode(fair.alice), referrer_code="P0")


async def test_owners_and_admins_change_participants_of_their_own_tenant(fair: Fair) -> None:
    id, participants, proofs = await fair.participant(), fair.services.participants, fair.services.proofs
    bob = await fair.office.join(fair.office.bob, MemberRole.VIEWER)
    for refused in (
        fair.participant(bob),
        participants.update(bob, id, ParticipantChanges(username="other")),
        proofs.start(bob, id, Network.SOLANA),
        proofs.verify(bob, id, Network.SOLANA, ""),
        proofs.issue_link(bob, id),
    ):
        with pytest.raises(Forbidden):
            await refused
    await fair.office.found("other", by=fair.office.bob)
    for other in (await fair.office.acting(fair.office.bob, "other"), in_test_mode(fair.alice)):
        for absent in (
            participants.update(other, id, ParticipantChanges(username="other")),
            proofs.start(other, id, Network.SOLANA),
            proofs.issue_link(other, id),
        ):
            with pytest.raises(NotFound):
                await absent
    status = PlanChanges(status=SubscriptionStatus.CANCELLED)
    await fair.office.services.tenants.update_plan(fair.office.alice, fair.alice.tenant_id, status)
    for late in (fair.participant(), participants.update(fair.alice, id, ParticipantChanges(username="other"))):
        with pytest.raises(TenantNotActive):
            await late


async def test_an_update_changes_what_it_names(fair: Fair) -> None:
    id = await fair.participant(telegram_id=7, wallets=(NamedWallet(Network.SOLANA, SOLANA),))
    before, now, update = await fair.row("participants", id), fair.office.clock.now(), fair.services.participants.update
    await update(fair.alice, id, ParticipantChanges(last_active_at=now - timedelta(days=1)))
    await update(fair.alice, id, ParticipantChanges(username="Al"))
    assert await fair.row("participants", id) == before | {
        "username": "Al",
        "username_lower": "al",
        "updated_at": (await fair.row("participants", id))["updated_at"],
    }
    later = now + timedelta(hours=1)
    wallets = (NamedWallet(Network.ETHEREUM, ETHEREUM),)
    await update(fair.alice, id, ParticipantChanges(wallets=wallets, telegram_id=None, last_active_at=later))
    row = await fair.row("participants", id)
    assert (row["telegram_id"], row["last_active_at"]) == (None, later)
    assert await fair.office.owner.fetchval("SELECT string_agg(address, ',') FROM participant_wallets") == ETHEREUM

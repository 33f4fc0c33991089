"""The same idempotency key, IDs and codes in two tenants and both modes."""

from app.domains.campaigns.participants.model import NewParticipant
from tests.domains.campaigns.fair import Fair, in_test_mode


async def test_each_tenant_and_mode_has_results_of_its_own(fair: Fair) -> None:
    await fair.office.found("other", by=fair.office.bob)
    bob = await fair.office.acting(fair.office.bob, "other")
    new = NewParticipant(telegram_id=7, discord_id="d", referral_code="CODE")
    create = fair.services.participants.create
    everybody = (fair.alice, in_test_mode(fair.alice), bob, in_test_mode(bob))
    made = [await create(each, new, "same") for each in everybody]
    assert len({*made}) == 4
    assert [await create(each, new, "same") for each in everybody] == made
    for each, id in zip(everybody, made, strict=True):
        row = await fair.row("participants", id)
        assert (row["tenant_id"], row["livemode"]) == (each.tenant_id, each.livemode)

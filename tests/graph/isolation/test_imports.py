"""A file cannot reach what another tenant or mode has, and its report does not tell whether that is there."""

from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from solders.keypair import Keypair

from app.domains.campaigns.imports.model import NewImport, OnDuplicate
from app.domains.campaigns.services import CampaignsServices
from app.engine.declarations.nodes import global_id
from app.kit.house import Services
from app.transport.runtime import AppRuntime
from tests.conftest import Execute
from tests.databases import Owner
from tests.domains.campaigns.stall import sent
from tests.graph.fuzz.calls import Call
from tests.graph.isolation.asking import Walk
from tests.graph.isolation.estates import Estate, Estates

TABLES: Final = (
    "participants", "participant_wallets", "participations", "participant_imports", "participant_import_refusals",
    "participant_exports", "campaign_files", "campaign_file_chunks", "projects", "tasks", "point_entries",
)  # fmt: skip
IMPORT: Final = """mutation Import($input: ImportParticipantsInput!) { importParticipants(input: $input) {
    __typename ... on ImportParticipantsPayload { participantImport { status } } ... on Problem { message code path }
} }"""
COUNTS: Final = "imported_count, updated_count, skipped_count, refused_count"


async def everything_of(owner: Owner, estate: Estate) -> dict[str, list[str]]:
    """All rows of a tenant in a mode, as text."""
    row = estate.tenancy.tenant_id, estate.tenancy.livemode
    return {
        table: [
            each[0]
            for each in await owner.fetch(
                f"SELECT t::text FROM {table} t WHERE tenant_id = $1 AND livemode = $2 ORDER BY 1", *row
            )
        ]
        for table in TABLES
    }


async def outcome(services: Services, owner: Owner, by: Estate, new: NewImport) -> Any:
    """What becomes of an import: counts, and what was refused of it. Whom it made is undone."""
    campaigns = services[CampaignsServices]
    id = await campaigns.imports.start(by.tenancy, new, str(uuid4()))
    await campaigns.importer.run({"id": str(id)})
    counts = await owner.fetchrow(f"SELECT {COUNTS} FROM participant_imports WHERE id = $1", id)
    refused = await owner.fetch(
        "SELECT row_number, field, reason, detail FROM participant_import_refusals WHERE import_id = $1", id
    )
    await owner.execute("DELETE FROM participants WHERE import_id = $1 AND id <> $2", id, by.participant)
    return tuple(counts or ()), [tuple(each) for each in refused]


def identified(estate: Estate) -> dict[str, str]:
    """What a file may say of the participant of an estate, by column."""
    return {
        "id": str(estate.participant),
        "tenant_id": str(estate.tenancy.tenant_id),
        "telegram_id": estate.keys["ParticipantBy.telegramId"],
        "discord_id": estate.keys["ParticipantBy.discordId"],
        "referral_code": estate.keys["ParticipantBy.referralCode"],
        "solana_address": estate.keys["ParticipantBy.walletAddress"],
    }


def nobody(number: int) -> dict[str, str]:
    """The same of a participant that nobody has."""
    return {
        "id": str(uuid4()),
        "tenant_id": str(uuid4()),
        "telegram_id": str(700_000 + number),
        "discord_id": f"absent-{number}",
        "referral_code": f"ABSENT-{number}",
        "solana_address": str(Keypair.from_seed(bytes([200 + number]) * 32).pubkey()),
    }


@pytest.mark.parametrize("how", list(OnDuplicate))
async def test_who_is_another_tenants_is_neither_changed_nor_known(
    estates: Estates, services: Services, owner: Owner, how: OnDuplicate
) -> None:
    own = estates.own

    def of(cells: dict[str, str]) -> NewImport:
        return NewImport(csv=",".join(cells) + "\n" + ",".join(cells.values()), on_duplicate=how)

    for number, foreign in enumerate(estates.foreign_to(estates.askers["a member"])):
        before = await everything_of(owner, foreign)
        theirs, absent = identified(foreign), nobody(number)
        pairs = [({"username": "x", name: theirs[name]}, {"username": "x", name: absent[name]}) for name in absent]
        codes = [{"username": "x", "referrer_code": each["referral_code"]} for each in (theirs, absent)]
        pairs += [(theirs, absent), (codes[0], codes[1])]
        for their, nothing in pairs:
            expected = await outcome(services, owner, own, of(nothing))
            assert await outcome(services, owner, own, of(their)) == expected, [*their]
        assert await everything_of(owner, foreign) == before, foreign.name
    # Otherwise this would be a test of nothing: who is in the tenant is found.
    counts, _ = await outcome(services, owner, own, of(identified(own)))
    assert counts == ((0, 1, 0, 0) if how is OnDuplicate.UPDATE else (0, 0, 1, 0))
    referred = {"username": "y", "referrer_code": identified(own)["referral_code"]}
    assert (await outcome(services, owner, own, of(referred)))[0] == (1, 0, 0, 0)


@pytest.mark.parametrize("name", ["a member", "a key", "a linked user", "nobody"])
async def test_a_file_of_another_tenant_is_an_absent_one(  # noqa: PLR0917  # fixtures
    name: str, estates: Estates, services: Services, owner: Owner, execute: Execute, runtime: AppRuntime
) -> None:
    walk, asker, files = Walk(execute, runtime), estates.askers[name], services[CampaignsServices].files

    async def answer(id: str) -> tuple[str, int]:
        given = {"source": {"uploadId": id}, "idempotencyKey": f"{name} {id}"}
        return await walk.answer(Call("Mutation.importParticipants", IMPORT, {"input": given}), asker, id)

    nothing = await answer(str(uuid4()))
    for foreign in estates.foreign_to(asker):
        upload = await files.upload(foreign.tenancy, sent(b"telegram_id\n1"))
        exported = await owner.fetchval("SELECT file_id FROM participant_exports WHERE id = $1", foreign.exported)
        assert isinstance(exported, UUID)
        before = await everything_of(owner, foreign)
        for id in (upload.id, exported, foreign.imported, foreign.exported, foreign.project):
            assert await answer(str(id)) == nothing, foreign.name
        assert await everything_of(owner, foreign) == before
    if asker.home is None:
        return
    own = await files.upload(estates.own.tenancy, sent(b"telegram_id\n1"))
    assert await answer(str(own.id)) != nothing
    # What was written for an export is not imported, who has it; nor is a global ID one of a file.
    mine = await owner.fetchval("SELECT file_id FROM participant_exports WHERE id = $1", estates.own.exported)
    assert await answer(str(mine)) == nothing
    assert "UPLOAD_NOT_FOUND" in (await answer(global_id("ParticipantImport", estates.own.imported)))[0]

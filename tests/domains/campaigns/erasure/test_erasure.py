"""Erasing participants: nothing personal is left anywhere, and what counts is as before."""

from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from app.domains.accounts.model import AuditVerdict
from app.domains.accounts.services import AccountsServices
from app.domains.campaigns.files.model import FileGone, UploadNotFound
from app.domains.campaigns.imports.model import NewImport, OnDuplicate
from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.participants.model import (
    Attribute,
    LinkInvalid,
    NamedWallet,
    NotLinked,
    ParticipantChanges,
    ParticipantErased,
)
from app.domains.tenancy.tenants.model.tenants import MemberRole, PlanChanges, SubscriptionStatus, TenantNotActive
from app.kit.db import SYSTEM
from app.kit.errors import Forbidden, InvalidInput, NotFound
from app.kit.house import Services
from tests.domains.campaigns.fair import ETHEREUM, SOLANA, Fair, in_test_mode
from tests.domains.campaigns.stall import Stall, csv_of, sent

SECRETS = (
    "7700112233", "discord-of-zoe", "zoe_user", "Zo\u00eb", "Zweig", "zoe@secret.example", "ZOECODE", SOLANA, ETHEREUM,
    "gold-member", "pt-BR", "America/Recife",
)  # fmt: skip


async def zoe(fair: Fair) -> UUID:
    return await fair.participant(
        telegram_id=7700112233, discord_id="discord-of-zoe", username="zoe_user", first_name="Zo\u00eb",
        last_name="Zweig", email="zoe@secret.example", referral_code="ZOECODE", locale="pt-BR",
        time_zone="America/Recife", attributes=(Attribute("tier", "gold-member"),),
        wallets=(NamedWallet(Network.SOLANA, SOLANA), NamedWallet(Network.ETHEREUM, ETHEREUM)),
    )  # fmt: skip


async def found(fair: Fair) -> set[tuple[str, str]]:
    """Where in the whole database the values are, in any column that is text, or can be shown as text."""
    tables = await fair.office.owner.fetch(
        "SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND c.relkind = 'r'"
    )
    assert len(tables) > 60
    places = set[tuple[str, str]]()
    for table in tables:
        for secret in SECRETS:
            sql = f"SELECT EXISTS (SELECT FROM {table['name']} t WHERE position($1 IN t::text) > 0)"
            if await fair.office.owner.fetchval(sql, secret):
                places.add((table["name"], secret))
    return places


async def verdict(services: Services) -> AuditVerdict:
    return await services[AccountsServices].audit.verify()


async def test_nothing_personal_is_left_anywhere(fair: Fair, stall: Stall, services: Services) -> None:
    id = await zoe(fair)
    update = fair.services.participants.update
    await update(fair.alice, id, ParticipantChanges(username="other", telegram_id=None))
    await update(fair.alice, id, ParticipantChanges(username="zoe_user", telegram_id=7700112233))
    await fair.services.proofs.start(fair.alice, id, Network.SOLANA)
    link = await fair.services.links.issue(fair.alice, id)
    await fair.services.links.link(fair.office.bob, link.token)
    await stall.exported()
    await fair.services.exports.start(fair.alice, "running")
    before = {table for table, _ in await found(fair)}
    assert {"participants", "participant_wallets", "wallet_challenges"} <= before
    assert any(each.startswith("audit_logs") for each in before)
    assert (await verdict(services)).ok
    await fair.services.erasure.erase(fair.alice, id)
    assert await found(fair) == set()
    logs = "SELECT count(*) FROM audit_logs WHERE user_id = $1 AND resource_id = $2"
    assert await fair.office.owner.fetchval(logs, fair.office.bob.user_id, str(id)) == 0
    linked = "SELECT count(*) FROM audit_logs WHERE details::text LIKE '%' || $1 || '%' AND resource_id = $2"
    assert await fair.office.owner.fetchval(linked, str(fair.office.bob.user_id), str(id)) == 0
    assert (await verdict(services)).ok


async def test_who_was_erased_stays_so_and_what_counts_is_true(fair: Fair, services: Services) -> None:
    id, erase = await zoe(fair), fair.services.erasure.erase
    referred = [await fair.participant(referrer_code="ZOECODE") for _ in range(2)]
    link = await fair.services.links.issue(fair.alice, id)
    await erase(fair.alice, id)
    entries = await fair.office.owner.fetchval("SELECT count(*) FROM audit_logs")
    row = await fair.row("participants", id)
    await erase(fair.alice, id)
    assert await fair.row("participants", id) == row
    assert await fair.office.owner.fetchval("SELECT count(*) FROM audit_logs") == entries
    assert (row["total_referrals"], row["erased_at"]) == (2, fair.office.clock.now())
    assert {(await fair.row("participants", each))["referred_by"] for each in referred} == {id}
    for refused in (
        fair.services.participants.update(fair.alice, id, ParticipantChanges(username="zoe")),
        fair.services.links.issue(fair.alice, id),
    ):
        with pytest.raises(ParticipantErased):
            await refused
    for gone, problem in (
        (fair.services.links.link(fair.office.bob, link.token), LinkInvalid),
        (fair.services.proofs.start(fair.alice, id, Network.SOLANA), NotFound),
        (fair.participant(referrer_code="ZOECODE"), InvalidInput),
        (fair.participant(referrer_code=row["referral_code"]), InvalidInput),
    ):
        with pytest.raises(problem):
            await gone
    listed = await fair.office.owner.fetch("SELECT * FROM erased_participants")
    assert [tuple(each) for each in listed] == [(fair.alice.tenant_id, True, id, fair.office.clock.now())]
    for change in ("erased_at = NULL", "referral_code = 'X'", "email = 'a@b.example'", "is_active = true"):
        with pytest.raises(asyncpg.CheckViolationError):
            await fair.office.owner.execute(f"UPDATE participants SET {change} WHERE id = $1", id)
    await fair.services.participants.update(fair.alice, referred[0], ParticipantChanges(referrer_code=None))
    assert (await fair.row("participants", id))["total_referrals"] == 1
    assert await zoe(fair) != id


async def test_files_that_may_name_them_are_gone(fair: Fair, stall: Stall) -> None:
    id = await zoe(fair)
    other = await fair.participant(telegram_id=1)
    stored = await fair.services.files.upload(fair.alice, sent(b"telegram_id\n7700112233"))
    tests = await fair.services.files.upload(in_test_mode(fair.alice), sent(b"telegram_id\n7700112233"))
    done, running = [await fair.services.exports.start(fair.alice, each) for each in ("done", "running")]
    await stall.write(done)
    exporter = fair.services.exporter
    await fair.office.owner.execute("UPDATE participant_exports SET status = 'running' WHERE id = $1", running)
    for _ in range(2):
        await fair.office.database.write(SYSTEM, lambda tx: exporter._step(tx, running))
    await fair.services.erasure.erase(fair.alice, id)
    with pytest.raises(UploadNotFound):
        await fair.services.imports.start(fair.alice, NewImport(upload_id=stored.id), "key")
    await fair.services.imports.start(in_test_mode(fair.alice), NewImport(upload_id=tests.id), "key")
    with pytest.raises(FileGone):
        await fair.services.exports.open(fair.alice, done)
    assert (await fair.row("participant_exports", done))["status"] == "expired"
    await stall.write(running)
    _, parts = await fair.services.exports.open(fair.alice, running)
    text = b"".join([each async for each in parts]).decode()
    assert [line.partition(",")[0] for line in text.split("\r\n")[1:-1]] == ["1"]
    assert other


@pytest.mark.parametrize("how", list(OnDuplicate))
async def test_an_import_under_way_makes_nobody_again(fair: Fair, stall: Stall, how: OnDuplicate) -> None:
    id = await zoe(fair)
    csv = csv_of(
        "telegram_id,discord_id,email,referral_code,solana_address",
        ["7700112233,,,,", ",discord-of-zoe,,,", f"5,,,,{SOLANA}", "6,,zoe@secret.example,,", ",x,,ZOECODE,", "8,,,,"],
    )
    asked = await stall.ask(csv, on_duplicate=how)
    await fair.services.erasure.erase(fair.alice, id)
    assert await stall.count("participant_import_exclusions") == 6
    await stall.work(asked)
    assert await stall.refusals(asked) == [(row, None, "erased") for row in range(2, 7)]
    assert [each["telegram_id"] for each in await stall.participants()] == [None, 8]
    assert await stall.count("participant_import_exclusions") == 0
    assert await found(fair) == set()


async def test_owners_and_admins_erase_those_of_their_tenant(fair: Fair) -> None:
    id, erase, office = await zoe(fair), fair.services.erasure.erase, fair.office
    bob = await office.join(office.bob, MemberRole.VIEWER)
    with pytest.raises(Forbidden):
        await erase(bob, id)
    await office.found("other", by=office.bob)
    for other in (await office.acting(office.bob, "other"), in_test_mode(fair.alice)):
        with pytest.raises(NotFound):
            await erase(other, id)
    status = PlanChanges(status=SubscriptionStatus.SUSPENDED)
    await office.services.tenants.update_plan(office.alice, fair.alice.tenant_id, status)
    with pytest.raises(TenantNotActive):
        await erase(fair.alice, id)
    assert (await fair.row("participants", id))["erased_at"] is None


async def test_the_application_redacts_nothing_else(fair: Fair, services: Services) -> None:
    id = await zoe(fair)
    await fair.office.owner.execute("CREATE TABLE before AS SELECT * FROM audit_logs")
    for scope in (SYSTEM, fair.alice.scope):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await fair.rows(scope, f"SELECT redact_audit_of_participant('{id}')")
        for sql in ("UPDATE audit_logs SET details = '{}'", "SELECT append_audit('update', 'x', 'y', '{}')"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await fair.rows(scope, sql)
    assert await fair.office.owner.fetchval("SELECT count(*) FROM (TABLE audit_logs EXCEPT TABLE before) x") == 0
    await fair.services.erasure.erase(fair.alice, id)
    edit: Any = "UPDATE audit_logs SET details = jsonb_set(details, '{new,is_active}', 'false') WHERE resource_id = $1"
    await fair.office.owner.execute(edit + " AND resource_type = 'participants' AND action = 'insert'", str(id))
    assert not (await verdict(services)).ok


async def test_a_participant_is_unlinked_by_the_tenant_and_by_the_user(fair: Fair) -> None:
    id, links, bob = await zoe(fair), fair.services.links, fair.office.bob
    with pytest.raises(NotLinked):
        await links.unlink(fair.alice, id)
    for unlink in (partial(links.unlink, fair.alice, id), partial(links.unlink_self, bob, id)):
        with pytest.raises(NotFound):
            await links.unlink_self(bob, id)
        await links.link(bob, (await links.issue(fair.alice, id)).token)
        with pytest.raises(NotFound):
            await links.unlink_self(fair.office.alice, id)
        with pytest.raises(NotFound):
            await links.unlink(in_test_mode(fair.alice), id)
        await unlink()
        assert (await fair.row("participants", id))["user_id"] is None

"""Importing participants: what becomes of rows, who is there already, and what happens to the worker."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.domains.campaigns.files.model import (
    MAX_UPLOADS,
    SENT_WITHIN,
    FileEmpty,
    FileTooLarge,
    TooManyUploads,
    UploadNotFound,
)
from app.domains.campaigns.imports.model import (
    MAX_REFUSALS,
    FileRefused,
    ImportNotRunning,
    NewImport,
    TooManyTransfers,
)
from app.domains.campaigns.imports.services.batches import Batches
from app.domains.tenancy.tenants.model.tenants import MemberRole, PlanChanges, SubscriptionStatus, TenantNotActive
from app.kit.db import SYSTEM
from app.kit.errors import Forbidden, IdempotencyKeyReused, InvalidInput, NotFound, ResultDeleted
from app.transport.files import UPLOAD_PATIENCE_S
from tests.domains.campaigns.fair import ETHEREUM, SOLANA, Fair, in_test_mode
from tests.domains.campaigns.stall import Stall, csv_of, replace_batch, sent

COUNTS = ("imported_count", "updated_count", "skipped_count", "refused_count")


def counts(row: dict[str, Any]) -> tuple[int, ...]:
    return tuple(row[each] for each in COUNTS)


async def test_a_file_becomes_participants_in_its_order(fair: Fair, stall: Stall) -> None:
    csv = (
        "\ufeffTelegram ID;username;first_name;wallet_address;wallet_type;referral_code;referred_by;attributes.tier\r\n"
        f'1;one;"M\u00fcller; A";{SOLANA};solana;ONE;;gold\r\n'
        f"2;two;;{ETHEREUM.lower()};ethereum;two;one;\r\n"
        "\r\n"
        "3;three;;;;;TWO;'=1\r\n"
        "4;four;;;;;one;\r\n"
    )
    made = await stall.imported(csv)
    assert (made["status"], counts(made), made["total_rows"], made["file_id"]) == ("completed", (4, 0, 0, 0), 4, None)
    rows = await stall.participants()
    assert [each["telegram_id"] for each in rows] == [1, 2, 3, 4]
    one, two, three, four = rows
    assert (one["first_name"], one["wallet_addresses"], one["attributes"]) == (
        "M\u00fcller; A", [SOLANA], '{"tier": "gold"}',
    )  # fmt: skip
    assert (two["wallet_addresses"], two["referral_code"], two["referred_by"]) == ([ETHEREUM], "TWO", one["id"])
    assert (three["attributes"], three["referred_by"]) == ('{"tier": "=1"}', two["id"])
    assert [each["total_referrals"] for each in rows] == [2, 1, 0, 0]
    assert four["is_active"]
    assert len(four["referral_code"]) == 10
    assert await stall.count("campaign_file_chunks") == 0
    assert await stall.count("participant_wallets") == 2


async def test_a_line_that_names_the_delimiter_is_neither_header_nor_row(stall: Stall) -> None:
    made = await stall.imported("sep=;\r\nusername;email\r\none;\r\ntwo;x\r\n")
    assert (made["total_rows"], counts(made)) == (2, (1, 0, 0, 1))
    assert [each["username"] for each in await stall.participants()] == ["one"]
    assert await stall.refusals(made["id"]) == [(3, "email", "invalid")]
    with pytest.raises(FileRefused):
        await stall.imported("sep=\0\nusername\0email\none\0\n")


async def test_rows_that_are_not_in_order_are_reported_and_the_others_imported(stall: Stall) -> None:
    csv = csv_of(
        "telegram_id,discord_id,username,email,referral_code,referrer_code",
        [
            "7,,a,,A,",
            "7.0,,b,x,,",
            "7,,c,,,",
            ",d,d,,,LATER",
            ",d,d,,LATER,A",
            ",d,e,,,",
            ",,,,F,",
            ",,f,,A,",
            ",,g,,G,G",
            "8,9,h,,,,,,extra",
        ],
    )
    made = await stall.imported(csv)
    assert counts(made) == (2, 0, 0, 8)
    assert await stall.refusals(made["id"]) == [
        (3, "telegram_id", "invalid"),
        (3, "email", "invalid"),
        (4, "telegram_id", "duplicate_in_file"),
        (5, "referrer_code", "unknown_referrer"),
        (7, "discord_id", "duplicate_in_file"),
        (8, None, "invalid"),
        (9, "referral_code", "duplicate_in_file"),
        (10, "referrer_code", "unknown_referrer"),
        (11, None, "malformed"),
    ]


async def test_who_is_there_is_skipped_or_changed(fair: Fair, stall: Stall) -> None:
    id = await fair.participant(telegram_id=7, username="old", email="old@example.com", referral_code="A")
    other = await fair.participant(discord_id="d", referral_code="B")
    csv = csv_of(
        "telegram_id,discord_id,username,referral_code,referrer_code,attributes.tier,solana_address",
        [f"7,,new,NEW,,gold,{SOLANA}", "7,d,x,,,,", "8,d,y,,,,", ",,z,B,,,", ",d,,,A,,"],
    )
    skipped = await stall.imported(csv)
    assert counts(skipped) == (0, 0, 4, 1)
    assert (await fair.row("participants", id))["username"] == "old"
    assert await stall.refusals(skipped["id"]) == [(3, None, "contradiction")]
    made = await stall.update(csv)
    [row] = [each for each in await stall.participants() if each["id"] == id]
    assert (row["username"], row["email"], row["referral_code"], row["attributes"], row["wallet_addresses"]) == (
        "new", "old@example.com", "NEW", '{"tier": "gold"}', [SOLANA],
    )  # fmt: skip
    assert await stall.refusals(made["id"]) == [
        (3, "telegram_id", "duplicate_in_file"),
        (5, "referral_code", "duplicate_in_file"),
        (6, "discord_id", "duplicate_in_file"),
    ]
    assert counts(made) == (0, 2, 0, 3)
    assert (await fair.row("participants", other))["telegram_id"] == 8


async def test_contradictions_and_what_others_have_are_refused(fair: Fair, stall: Stall) -> None:
    await fair.participant(telegram_id=1, discord_id="one", referral_code="A")
    await fair.participant(telegram_id=2, discord_id="two", referrer_code="A")
    made = await stall.update(
        csv_of("telegram_id,discord_id,referral_code,referrer_code", ["1,two,,", "3,one,,", ",x,A,", "1,,,B", "2,,,a"])
    )
    assert await stall.refusals(made["id"]) == [
        (2, None, "contradiction"),
        (3, "discord_id", "taken"),
        (4, "referral_code", "taken"),
        (5, "referrer_code", "other_referrer"),
    ]
    assert counts(made) == (0, 1, 0, 4)


async def test_wallets_of_an_update_replace_those_of_their_networks(fair: Fair, stall: Stall) -> None:
    await stall.imported(csv_of("telegram_id,solana_address,ethereum_address", [f"7,{SOLANA},{ETHEREUM}"]))
    await fair.office.owner.execute("UPDATE participant_wallets SET verified_at = now()")
    other = "0x" + "22" * 20
    await stall.update(csv_of("telegram_id,solana_address,ethereum_address", [f"7,{SOLANA},{other}"]))
    wallets = await fair.office.owner.fetch("SELECT address, verified_at FROM participant_wallets ORDER BY network")
    assert [(each["address"], each["verified_at"] is None) for each in wallets] == [(other, True), (SOLANA, False)]
    assert (await stall.participants())[0]["wallet_addresses"] == [SOLANA, other]


class Killed(BaseException):
    """The worker was killed."""


@pytest.mark.parametrize("after", [0, 1, 2, 3])
async def test_a_worker_that_is_killed_is_replaced_and_no_row_comes_twice(
    stall: Stall, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    id = await stall.ask(csv_of("telegram_id,username,referrer_code", (f"{n},u{n}," for n in range(1, 11))))
    write, written = Batches._store, 0

    async def store(self: Batches, *arguments: Any) -> None:
        nonlocal written
        await write(self, *arguments)
        written += 1
        if written > after:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Batches, "_store", store)
        with pytest.raises(Killed):
            await stall.work(id)
    row = await stall.fair.row("participant_imports", id)
    assert (row["status"], row["processed_rows"], await stall.count("participants")) == (
        "running",
        3 * after,
        3 * after,
    )
    await stall.work(id, batch_rows=4)
    row = await stall.fair.row("participant_imports", id)
    assert (row["status"], counts(row), await stall.count("participants")) == ("completed", (10, 0, 0, 0), 10)
    await stall.work(id)
    assert await stall.count("participants") == 10


async def test_several_workers_at_once_import_each_row_once(stall: Stall, warm: None) -> None:
    await stall.imported("telegram_id,referral_code\n1,C1")
    id = await stall.ask(
        csv_of("telegram_id,referral_code,referrer_code", (f"{n},C{n},C{max(1, n - 1)}" for n in range(2, 91)))
    )
    await asyncio.gather(*(stall.work(id, batch_rows=7) for _ in range(4)))
    row = await stall.fair.row("participant_imports", id)
    assert (row["status"], row["processed_rows"], await stall.count("participants")) == ("completed", 89, 90)
    assert [each["total_referrals"] for each in await stall.participants()] == [1] * 89 + [0]


async def test_an_import_meets_what_is_created_at_once(fair: Fair, stall: Stall, warm: None) -> None:
    id = await stall.ask(csv_of("telegram_id,referrer_code", (f"{n},FIRST" for n in range(1, 61))))
    await fair.participant(referral_code="FIRST")
    creates = [fair.participant(telegram_id=n, referrer_code="FIRST") for n in range(1, 61, 2)]
    await asyncio.gather(stall.work(id, batch_rows=10), *creates, return_exceptions=True)
    row = await fair.row("participant_imports", id)
    assert row["status"] == "completed"
    people = await stall.participants()
    assert len(people) == 61
    assert sum(each["total_referrals"] for each in people) == 60


async def test_what_is_cancelled_stops_and_keeps_nothing_of_the_file(fair: Fair, stall: Stall) -> None:
    id = await stall.ask("telegram_id\n1\n2")
    cancel = fair.services.imports.cancel
    await fair.office.found("other", by=fair.office.bob)
    for other in (await fair.office.acting(fair.office.bob, "other"), in_test_mode(fair.alice)):
        with pytest.raises(NotFound):
            await cancel(other, id)
    await cancel(fair.alice, id)
    with pytest.raises(ImportNotRunning):
        await cancel(fair.alice, id)
    await stall.work(id)
    assert (await fair.row("participant_imports", id))["status"] == "cancelled"
    assert [await stall.count(each) for each in ("campaign_files", "participants")] == [0, 0]


async def test_an_import_ends_with_the_subscription_of_its_tenant(fair: Fair, stall: Stall) -> None:
    id = await stall.ask("telegram_id\n1\n2")
    status = PlanChanges(status=SubscriptionStatus.CANCELLED)
    await fair.office.services.tenants.update_plan(fair.office.alice, fair.alice.tenant_id, status)
    await stall.work(id)
    row = await fair.row("participant_imports", id)
    assert (row["status"], await stall.count("participants")) == ("failed", 0)
    with pytest.raises(TenantNotActive):
        await stall.ask("telegram_id\n1")


async def test_only_so_many_wait_at_once_and_a_replay_is_none(fair: Fair, stall: Stall, warm: None) -> None:
    asked = await asyncio.gather(*(stall.ask(f"telegram_id\n{n}") for n in range(40)), return_exceptions=True)
    ids = [each for each in asked if isinstance(each, UUID)]
    assert (len(ids), {type(each) for each in asked}) == (3, {UUID, TooManyTransfers})
    with pytest.raises(TooManyTransfers):
        await fair.services.exports.start(fair.alice, "export")
    assert await stall.ask("telegram_id\n1", in_test_mode(fair.alice))
    for id in ids:
        await stall.work(id)
    start, new = fair.services.imports.start, NewImport(csv="telegram_id\n99")
    id = await start(fair.alice, new, "key")
    assert await start(fair.alice, new, "key") == id
    with pytest.raises(IdempotencyKeyReused):
        await start(fair.alice, NewImport(csv="telegram_id\n98"), "key")
    await fair.office.owner.execute("DELETE FROM participant_imports WHERE id = $1", id)
    with pytest.raises(ResultDeleted):
        await start(fair.alice, new, "key")


async def test_what_is_wrong_with_the_file_is_said_at_once_and_nothing_is_kept(fair: Fair, stall: Stall) -> None:
    bob = await fair.office.join(fair.office.bob, MemberRole.VIEWER)
    with pytest.raises(Forbidden):
        await stall.ask("telegram_id\n1", bob)
    for csv, problem in {
        "": FileEmpty, "shoe_size\n1": FileRefused, "x" * 200_001: InvalidInput, "telegram_id\n\ud800": InvalidInput,
    }.items():  # fmt: skip
        with pytest.raises(problem):
            await stall.ask(csv)
    stall.limit(1024)
    with pytest.raises(FileTooLarge) as refused:
        await stall.ask("telegram_id\n" + "1\n" * 1024)
    assert refused.value.limit_bytes == 1024
    assert "1,024 bytes" in refused.value.message
    assert [await stall.count(each) for each in ("campaign_files", "participant_imports")] == [0, 0]


async def test_a_file_that_was_sent_is_imported_once_by_its_tenant(fair: Fair, stall: Stall) -> None:
    files, start = fair.services.files, fair.services.imports.start
    stored = await files.upload(fair.alice, sent(b"telegram_id\n", b"1\n" * 200_000, b"2"))
    chunk = await fair.office.owner.fetchval("SELECT sealed FROM campaign_file_chunks WHERE number = 0")
    assert (stored.chunks, stored.size_bytes, b"telegram" in chunk) == (2, 400_013, False)
    new = NewImport(upload_id=stored.id)
    await fair.office.found("other", by=fair.office.bob)
    for other in (await fair.office.acting(fair.office.bob, "other"), in_test_mode(fair.alice)):
        with pytest.raises(UploadNotFound):
            await start(other, new, "key")
    id = await start(fair.alice, new, "key")
    with pytest.raises(UploadNotFound):
        await start(fair.alice, new, "other")
    await replace_batch(fair.services.importer, 50_000).run({"id": str(id)})
    row = await fair.row("participant_imports", id)
    assert counts(row) == (2, 0, 0, 199_999)
    assert len(await stall.refusals(id)) == MAX_REFUSALS


async def test_files_wait_for_a_day_and_not_too_many(fair: Fair, stall: Stall) -> None:
    files, clock = fair.services.files, fair.office.clock
    for _ in range(9):
        await files.upload(fair.alice, sent(b"x"))
    last = await asyncio.gather(*(files.upload(fair.alice, sent(b"x")) for _ in range(8)), return_exceptions=True)
    assert sum(not isinstance(each, TooManyUploads) for each in last) == 1
    stall.limit(1)
    clock.advance(timedelta(days=1))
    assert await files.delete_expired() == "10 files"
    for parts, problem in (((b"ab",), FileTooLarge), ((), FileEmpty)):
        with pytest.raises(problem):
            await files.upload(fair.alice, sent(*parts))
    assert [await stall.count(each) for each in ("campaign_files", "campaign_file_chunks")] == [0, 0]


async def test_files_that_a_killed_process_was_taking_soon_count_no_more(fair: Fair, stall: Stall) -> None:
    files, clock = fair.services.files, fair.office.clock
    assert timedelta(seconds=UPLOAD_PATIENCE_S) < SENT_WITHIN
    complete = await files.upload(fair.alice, sent(b"username\nZoe"))
    for _ in range(MAX_UPLOADS - 1):
        await fair.office.database.write(SYSTEM, lambda tx: files.begin_upload(tx, fair.alice, uuid4()))
    clock.advance(SENT_WITHIN - timedelta(seconds=1))
    with pytest.raises(TooManyUploads):
        await files.upload(fair.alice, sent(b"username\nMax"))
    clock.advance(timedelta(seconds=1))
    await files.upload(fair.alice, sent(b"username\nMax"))
    assert await files.delete_expired() == f"{MAX_UPLOADS - 1} files"
    assert (await files.stored(complete.id)).chunks == 1


async def test_the_audit_log_has_an_entry_for_each_batch(fair: Fair, stall: Stall) -> None:
    made = await stall.imported(csv_of("telegram_id,solana_address", [f"1,{SOLANA}", "2,", "3,", "4,"]))
    rows = await fair.office.owner.fetch(
        "SELECT user_id, details FROM audit_logs WHERE resource_type = 'participant_imports' AND resource_id = $1"
        " AND details ? 'created' ORDER BY seq", str(made["id"]),
    )  # fmt: skip
    assert [each["user_id"] for each in rows] == [fair.office.alice.user_id] * 2
    people = await stall.participants()
    assert all(str(each["id"]) in "".join(row["details"] for row in rows) for each in people)
    kinds = "SELECT count(*) FROM audit_logs WHERE resource_type IN ('participants', 'participant_wallets')"
    assert await fair.office.owner.fetchval(kinds) == 0


async def test_imports_are_kept_for_90_days(fair: Fair, stall: Stall) -> None:
    await stall.imported("telegram_id,email\n1,x")
    fair.office.clock.advance(timedelta(days=90))
    assert await fair.services.imports.delete_old() == "0 imports"
    fair.office.clock.advance(timedelta(seconds=1))
    assert await fair.services.imports.delete_old() == "1 imports"
    assert [await stall.count(each) for each in ("participant_imports", "participant_import_refusals")] == [0, 0]

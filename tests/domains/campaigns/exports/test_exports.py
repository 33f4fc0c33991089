"""Exporting participants, and importing them again."""

import asyncio
from datetime import timedelta
from functools import partial
from itertools import product, starmap
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from app.domains.campaigns.exports.model import ExportedRow, ExportFilter, ExportNotRunning
from app.domains.campaigns.exports.rules import beginning, lines_of
from app.domains.campaigns.files.model import FileGone
from app.domains.campaigns.imports.model import NewImport
from app.domains.campaigns.imports.rules.columns import header_of
from app.domains.campaigns.imports.rules.records import Reader
from app.domains.campaigns.imports.rules.rows import rows_of
from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.participants.model import Attribute, NamedWallet, NewParticipant, ParticipantChanges
from app.domains.campaigns.participants.rules import checked
from app.domains.tenancy.tenants.model.tenants import MemberRole, PlanChanges, SubscriptionStatus, Tenancy
from app.kit.errors import Forbidden, IdempotencyKeyReused, InvalidInput, NotFound, ResultDeleted
from tests.databases import NOON
from tests.domains.campaigns.fair import ETHEREUM, SOLANA, Fair, in_test_mode
from tests.domains.campaigns.stall import Stall, sent

SAME = (
    "telegram_id", "discord_id", "username", "first_name", "last_name", "email", "locale", "time_zone",
    "has_notifications", "attributes", "is_active", "is_verified", "referral_code", "total_referrals",
    "wallet_addresses", "last_active_at",
)  # fmt: skip
NAME = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("'=+-@,;\"\t"), min_size=1, max_size=8)
VALUE = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("'=+-@,;\"\n\t"), max_size=8)


def is_accepted(field: str, value: Any) -> bool:
    try:
        checked(NewParticipant(**{"username": "known", field: value}))
    except InvalidInput:
        return False
    return True


def people() -> st.SearchStrategy[list[NewParticipant]]:
    named = {each: st.none() | NAME.filter(partial(is_accepted, each)) for each in ("first_name", "last_name")}
    attributes = st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,5}", fullmatch=True), VALUE, max_size=3)
    discord = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=6)
    wallets = st.sampled_from(
        [(), (NamedWallet(Network.SOLANA, SOLANA),), (NamedWallet(Network.ETHEREUM, ETHEREUM),),
         (NamedWallet(Network.SOLANA, "11111111111111111111111111111112", allows_off_curve=True),)]
    )  # fmt: skip
    one = st.builds(
        lambda discord_id, attributes, **more: NewParticipant(
            discord_id=discord_id, attributes=tuple(Attribute(*each) for each in attributes.items()), **more
        ),
        discord_id=discord, attributes=attributes, wallets=wallets, is_verified=st.booleans(), **named,
    )  # fmt: skip
    return st.lists(one, max_size=5, unique_by=lambda each: each.discord_id)


async def same(stall: Stall, tenancy: Tenancy) -> list[dict[str, Any]]:
    rows = await stall.participants(tenancy)
    codes = {each["id"]: each["referral_code"] for each in rows}
    found = [{name: each[name] for name in SAME} | {"by": codes.get(each["referred_by"])} for each in rows]
    return sorted(found, key=lambda each: str(each["referral_code"]))


def exported(new: NewParticipant, code: str) -> ExportedRow:
    """A participant as the export reads them."""
    wallets = {each.network: each for each in new.wallets}
    solana, ethereum = wallets.get(Network.SOLANA), wallets.get(Network.ETHEREUM)
    known = {each: getattr(new, each) for each in SAME[:12]}
    more = {
        "id": UUID(int=1), "referral_code": code, "referrer_code": None, "total_referrals": 3, "created_at": NOON,
        "last_active_at": NOON, "solana_address": solana and solana.address,
        "solana_off_curve": solana and solana.allows_off_curve, "ethereum_address": ethereum and ethereum.address,
        "attributes": {each.name: each.value for each in new.attributes},
    }  # fmt: skip
    return ExportedRow(**known | more)


@given(people())
def test_what_is_written_of_participants_is_read_again(new: list[NewParticipant]) -> None:
    kept = [checked(each) for each in new]
    rows = [exported(each, f"C{place}") for place, each in enumerate(kept)]
    data = (beginning() + lines_of(rows)).encode()
    header = header_of(data, (), final=True)
    records = Reader(header.delimiter).feed(data, final=True)[1:]
    read = rows_of(records, header.fields, "Acme", NOON)
    assert [each.faults for each in read] == [()] * len(kept)
    for one, each, row in zip(read, kept, rows, strict=True):
        given_values = {name: value for name in SAME[:12] if (value := getattr(each, name)) is not None}
        more = {"referral_code": row.referral_code, "last_active_at": NOON}
        assert one.attributes == row.attributes
        assert one.values == {name: value for name, value in given_values.items() if name != "attributes"} | more
        assert [structs.astuple(wallet) for wallet in one.wallets] == [
            structs.astuple(wallet) for wallet in each.wallets
        ]


async def test_a_tenant_is_the_same_after_export_and_import(fair: Fair, stall: Stall) -> None:
    first = await fair.participant(telegram_id=7, username="=one", referral_code="A", first_name='M\u00fc; "x",')
    await fair.participant(username="-two", referrer_code="A", referral_code="B", discord_id="@d'")
    await fair.participant(
        attributes=(Attribute("a", "x\n=y"), Attribute("b", "")), wallets=(NamedWallet(Network.SOLANA, SOLANA),),
        referrer_code="B", referral_code="C", username="three", is_active=False, time_zone="Europe/Vienna",
    )  # fmt: skip
    fair.office.clock.advance(timedelta(minutes=1))
    last = await fair.participant(username="last", referral_code="D")
    # Who is newer has referred the first: those come behind them in the file.
    await fair.services.participants.update(fair.alice, first, ParticipantChanges(referrer_code="D"))
    data = await stall.exported()
    assert data.startswith(b"\xef\xbb\xbftelegram_id,discord_id,")
    assert [line.split(b",")[11] for line in data.split(b"\r\n")[1:-1] if line.count(b",") > 12][:1] == [b"D"]
    await fair.office.found("other", by=fair.office.bob)
    other = await fair.office.acting(fair.office.bob, "other")
    for tenancy in (in_test_mode(fair.alice), other):
        stored = await fair.services.files.upload(tenancy, sent(data))
        id = await fair.services.imports.start(tenancy, NewImport(upload_id=stored.id), fair.office.key)
        await stall.work(id)
        assert await stall.refusals(id) == []
        assert await same(stall, tenancy) == await same(stall, fair.alice)
        assert (await stall.exported(tenancy)).count(b"\r\n") == data.count(b"\r\n")
    assert last


async def test_an_export_goes_on_where_it_was(fair: Fair, stall: Stall) -> None:
    for number in range(9):
        await fair.participant(telegram_id=number + 1)
    id = await fair.services.exports.start(fair.alice, "key")
    await asyncio.gather(*(stall.write(id) for _ in range(4)))
    _, parts = await fair.services.exports.open(fair.alice, id)
    lines = b"".join([each async for each in parts]).decode().split("\r\n")[1:-1]
    assert sorted(each.partition(",")[0] for each in lines) == [str(number + 1) for number in range(9)]
    row = await fair.row("participant_exports", id)
    assert (row["status"], row["written_rows"], row["total_rows"]) == ("completed", 9, 9)


@pytest.mark.parametrize("page_rows", [1, 100])
async def test_an_export_holds_only_whom_its_filter_chooses(fair: Fair, stall: Stall, page_rows: int) -> None:
    ids = {}
    for number, (verified, active) in enumerate(product((True, False), repeat=2), 1):
        ids[number] = await fair.participant(
            telegram_id=number, is_verified=verified, is_active=active, referral_code=f"C{number}"
        )
    # Everybody but the last comes behind their referrer, who is newer and may not be in the file.
    update = fair.services.participants.update
    for number in (1, 2, 3):
        await update(fair.alice, ids[number], ParticipantChanges(referrer_code="C4"))
    for chosen in starmap(ExportFilter, product((None, True, False), repeat=2)):
        id = await fair.services.exports.start(fair.alice, fair.office.key, chosen)
        await stall.write(id, page_rows)
        _, parts = await fair.services.exports.open(fair.alice, id)
        lines = b"".join([each async for each in parts]).decode().split("\r\n")[1:-1]
        expected = {
            (str(number), "" if number == 4 else "C4")
            for number, (is_verified, is_active) in enumerate(product((True, False), repeat=2), 1)
            if chosen.verified in (None, is_verified) and chosen.active in (None, is_active)
        }
        row = await fair.row("participant_exports", id)
        assert {(cells[0], cells[12]) for cells in (line.split(",") for line in lines)} == expected
        assert len(lines) == row["total_rows"] == row["written_rows"] == len(expected)
        assert (row["of_verified"], row["of_active"]) == (chosen.verified, chosen.active)


async def test_a_key_that_was_used_without_a_filter_is_not_used_with_one(fair: Fair, stall: Stall) -> None:
    start = fair.services.exports.start
    id = await start(fair.alice, "key")
    assert await start(fair.alice, "key", ExportFilter()) == id
    for other in (ExportFilter(verified=False), ExportFilter(active=False)):
        with pytest.raises(IdempotencyKeyReused):
            await start(fair.alice, "key", other)
    assert await stall.count("participant_exports") == 1
    await fair.office.owner.execute("DELETE FROM participant_exports")
    with pytest.raises(ResultDeleted):
        await start(fair.alice, "key")


async def test_owners_and_admins_export_also_when_the_subscription_has_ended(fair: Fair, stall: Stall) -> None:
    exports, office = fair.services.exports, fair.office
    bob = await office.join(office.bob, MemberRole.VIEWER)
    with pytest.raises(Forbidden):
        await exports.start(bob, "key")
    status = PlanChanges(status=SubscriptionStatus.CANCELLED)
    await office.services.tenants.update_plan(office.alice, fair.alice.tenant_id, status)
    id = await exports.start(fair.alice, "key")
    await stall.write(id)
    await exports.open(fair.alice, id)
    with pytest.raises(Forbidden):
        await exports.open(bob, id)
    await office.found("other", by=office.bob)
    for other in (await office.acting(office.bob, "other"), in_test_mode(fair.alice)):
        with pytest.raises(FileGone):
            await exports.open(other, id)
        with pytest.raises(NotFound):
            await exports.cancel(other, id)
    with pytest.raises(ExportNotRunning):
        await exports.cancel(fair.alice, id)


async def test_a_file_is_gone_after_a_day_and_one_that_is_cancelled_at_once(fair: Fair, stall: Stall) -> None:
    exports = fair.services.exports
    id, other = await exports.start(fair.alice, "key"), await exports.start(fair.alice, "other")
    await exports.cancel(fair.alice, other)
    await stall.write(other)
    await stall.write(id)
    fair.office.clock.advance(timedelta(days=1))
    with pytest.raises(FileGone):
        await exports.open(fair.alice, id)
    assert await exports.expire() == "1 exports"
    assert [(await fair.row("participant_exports", each))["status"] for each in (id, other)] == ["expired", "cancelled"]
    assert await stall.count("campaign_files") == 0
    fair.office.clock.advance(timedelta(days=90))
    assert await exports.delete_old() == "2 exports"

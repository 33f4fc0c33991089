"""The progress of imports, for the members of their tenant."""

import msgspec
import pytest_asyncio

from app.domains.accounts.services import AccountsServices
from app.domains.campaigns.services import CampaignsServices
from app.domains.tenancy.services import TenancyServices
from app.domains.tenancy.tenants.model.tenants import Tenancy
from app.engine.declarations.nodes import global_id
from app.engine.streams.subscription import Subscription
from app.transport.runtime import Caller
from tests.databases import Owner
from tests.domains.campaigns.fair import Fair, in_test_mode
from tests.domains.campaigns.stall import Stall, csv_of
from tests.domains.tenancy.office import Office
from tests.factories import register
from tests.schema.market.prices.test_ticks import Inbox, Market, market
from tests.waiting import until

__all__ = ["market"]

QUERY = """subscription($id: ID!) { participantImportProgress(importId: $id) {
  cursor status processedRows totalRows refusedCount participantImport { id status }
} }"""


@pytest_asyncio.fixture
async def stall(market: Market, owner: Owner) -> Stall:
    services = market.application.services
    alice, bob = await register(services, "imports@example.com"), await register(services, "others@example.com")
    queue, database = services[AccountsServices].mail_queue, market.application.database
    office = Office(services[TenancyServices], queue, database, owner, market.clock, alice, bob)
    await office.found()
    return Stall(Fair(office, services[CampaignsServices], await office.acting()))


async def watched(market: Market, stall: Stall, by: Tenancy, id: str, inbox: Inbox) -> object:
    runtime = market.runtime
    new_context = runtime.new_context

    def in_tenant(caller: Caller) -> object:
        return new_context(msgspec.structs.replace(caller, tenancy=by))

    object.__setattr__(runtime, "new_context", in_tenant)
    try:
        return await market.attempt(QUERY, inbox, {"id": id}, stall.fair.office.alice)
    finally:
        object.__setattr__(runtime, "new_context", new_context)


async def test_progress_is_sent_from_the_first_event_on_to_members_alone(market: Market, stall: Stall) -> None:
    id = await stall.ask(csv_of("telegram_id", [*(str(n) for n in range(1, 10)), "x"]))
    await stall.work(id)
    inbox, named = Inbox(), global_id("ParticipantImport", id)
    assert isinstance(await watched(market, stall, stall.fair.alice, named, inbox), Subscription)
    await until(lambda: len(inbox.taken) == 7)
    heard = [(each["status"], each["processedRows"], each["totalRows"], each["refusedCount"]) for each in inbox.taken]
    assert heard == [
        ("QUEUED", 0, None, 0), ("RUNNING", 0, 10, 0), ("RUNNING", 3, 10, 0), ("RUNNING", 6, 10, 0),
        ("RUNNING", 9, 10, 0), ("RUNNING", 10, 10, 1), ("COMPLETED", 10, 10, 1),
    ]  # fmt: skip
    assert {each["participantImport"]["id"] for each in inbox.taken} == {named}
    refused = await watched(market, stall, in_test_mode(stall.fair.alice), named, Inbox())
    assert "NOT_FOUND" in str(refused)

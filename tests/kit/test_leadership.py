import asyncio

import asyncpg
import pytest

from app.kit.db import Database
from app.kit.errors import Unavailable
from app.kit.leadership import Leadership, LeadershipLost
from app.kit.tasks import end
from tests.conftest import APP_ROLE
from tests.databases import Owner
from tests.engine.support import listening
from tests.waiting import HANG_S, until


async def locks(owner: Owner) -> int:
    return int(
        await owner.fetchval(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    )


async def terminate_holder(owner: Owner) -> None:
    await owner.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'")


async def test_one_leads_until_it_gives_up(database: Database, owner: Owner) -> None:
    first, second, other = Leadership(database, "x"), Leadership(database, "x"), Leadership(database, "y")
    assert await first.hold()
    assert await first.hold()
    assert not await second.hold()
    assert await other.hold()
    await first.give_up()
    await first.give_up()
    await until(second.hold)
    assert not await first.hold()
    await second.give_up()
    await other.give_up()


async def test_a_leader_that_lost_its_connection_claims_leadership_again_like_any_other(
    database: Database, owner: Owner
) -> None:
    first, second = Leadership(database, "x"), Leadership(database, "x")
    assert await first.hold()
    await terminate_holder(owner)
    with pytest.raises(Unavailable):
        await first.hold()
    assert await second.hold()
    assert not await first.hold()
    await second.give_up()


async def test_a_connection_that_is_lost_half_way_through_an_answer_is_no_defect(
    database: Database, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    leadership = Leadership(database, "x")
    assert await leadership.hold()

    async def loses(*_: object) -> None:
        raise asyncpg.InternalClientError("got result for unknown protocol state 0")

    monkeypatch.setattr(asyncpg.Connection, "fetch", loses)
    with pytest.raises(Unavailable):
        await leadership.hold()
    monkeypatch.undo()
    await until(leadership.hold)
    assert await locks(owner) == 1
    await leadership.give_up()


async def test_a_process_that_does_not_lead_keeps_no_connection(database_url: str) -> None:
    small = await Database.open(database_url, role=APP_ROLE, size=2, timeout_s=HANG_S)
    try:
        first, second = Leadership(small, "x"), Leadership(small, "x")
        assert await first.hold()
        for _ in range(5):
            assert not await second.hold()
        await first.give_up()
        await until(second.hold)
        await second.give_up()
    finally:
        await small.close()


async def test_who_is_cancelled_on_the_way_leaves_no_lock(database: Database, owner: Owner) -> None:
    leadership = Leadership(database, "x")
    for steps in range(12):
        task = asyncio.create_task(leadership.hold())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await leadership.give_up()

    async def none() -> bool:
        return await locks(owner) == 0

    await until(none)
    assert await leadership.hold()
    assert await locks(owner) == 1
    await leadership.give_up()


async def test_who_loses_leadership_stands_by_and_leads_again_and_who_ends_gives_it_up(
    database: Database, owner: Owner
) -> None:
    first, second, times, faults = Leadership(database, "x"), Leadership(database, "x"), list[int](), [True]
    goes_on = asyncio.Event()

    async def lead() -> None:
        times.append(1)
        if faults:
            faults.pop()
            raise LeadershipLost
        goes_on.set()
        await asyncio.Event().wait()

    with listening() as logs:
        leading = asyncio.create_task(first.run(lead, standby_s=0, name="sums"))
        await goes_on.wait()
    assert (len(times), [each["event"] for each in logs]) == (2, ["sums.leadership_lost"])
    assert not await second.hold()
    await end(leading)
    await until(second.hold)
    await second.give_up()

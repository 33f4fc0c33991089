"""Row-level security: what the scope of a viewer sees and can change of notifications, whatever the statement."""

import asyncpg
import pytest
import pytest_asyncio

from app.domains.accounts.model import Viewer
from app.domains.notifications import loaders as notification_loaders
from app.kit.db import PUBLIC, SYSTEM, Scope
from app.kit.lists import page_request
from app.kit.reads import Reads
from tests.domains.notifications.stage import Stage
from tests.statements import statement


@pytest_asyncio.fixture(autouse=True)
async def notified(stage: Stage) -> None:
    """Alice has a notification."""
    await stage.send("1")


async def rows(stage: Stage, scope: Scope, sql: str) -> int:
    """How many rows a statement touches or finds."""
    return await stage.database.write(scope, lambda tx: tx.execute(statement("tried", "", sql)))


async def test_a_user_sees_and_changes_their_own_and_no_others(stage: Stage, bob: Viewer) -> None:
    for scope, count in ((stage.alice.scope, 1), (bob.scope, 0), (PUBLIC, 0), (SYSTEM, 1)):
        assert await rows(stage, scope, "SELECT FROM notifications") == count
    before = await stage.owner.fetch("SELECT * FROM notifications")
    for scope in (bob.scope, PUBLIC):
        assert await rows(stage, scope, "UPDATE notifications SET user_id = user_id") == 0
        assert await rows(stage, scope, "DELETE FROM notifications") == 0
    assert await stage.owner.fetch("SELECT * FROM notifications") == before


async def test_no_loader_shows_a_user_the_notifications_of_another(stage: Stage, bob: Viewer) -> None:
    [id] = [row[0] for row in await stage.owner.fetch("SELECT id FROM notifications")]
    for scope, count in ((stage.alice.scope, 1), (bob.scope, 0), (PUBLIC, 0)):
        reads = Reads(stage.database, scope)
        found = await reads.one(notification_loaders.notification_by_id, id)
        assert (found is not None) is bool(count)
        loader = notification_loaders.notifications_by_user
        for filters in ({}, {"read": False}):
            listed = await reads.page(loader, stage.alice.user_id, page_request(loader, 10, filters=filters))
            assert len(listed.records) == count
        unread = await reads.one(notification_loaders.unread_count_by_user, stage.alice.user_id)
        assert unread is not None
        assert unread.unread == count
        await reads.aclose()


async def test_nobody_gives_their_own_to_another(stage: Stage, bob: Viewer) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await rows(stage, stage.alice.scope, f"UPDATE notifications SET user_id = '{bob.user_id}'")


async def test_nobody_notifies_another_user(stage: Stage, bob: Viewer) -> None:
    sql = f"INSERT INTO notifications (user_id, type, title, message) VALUES ('{bob.user_id}', 'system', 'x', '')"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await rows(stage, stage.alice.scope, sql)
    new = [stage.new("x", by=bob)]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await stage.database.write(stage.alice.scope, lambda tx: stage.notifications.notify(tx, new))
    assert await stage.facts(bob) == []


async def test_no_partition_is_a_way_around(stage: Stage) -> None:
    partition = await stage.owner.fetchval("SELECT tableoid::regclass::text FROM notifications")
    for scope in (stage.alice.scope, SYSTEM):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await rows(stage, scope, f"SELECT FROM {partition}")

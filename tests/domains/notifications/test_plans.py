"""Notifications are read and written by indexes; row-level security takes none of them away."""

import json
from collections.abc import AsyncIterator

import pytest_asyncio

from app.domains.notifications import loaders as notification_loaders
from app.domains.notifications.statements import NotificationSql
from app.kit.sql import Statement
from tests.databases import NOON, Owner
from tests.domains.market.alerts.test_plans import scans
from tests.lists import count_of, page_of
from tests.statements import statement

FILL = f"""
SET session_replication_role = replica;
INSERT INTO users (id, email, password_hash, full_name)
SELECT lpad(n::text, 32, '0')::uuid, n || '@example.com', 'x', 'x' FROM generate_series(0, 999) n;
INSERT INTO user_settings (user_id, setting_name, setting_value)
SELECT lpad((n / 10)::text, 32, '0')::uuid, CASE n % 10 WHEN 0 THEN 'notifications' ELSE 's' || n END, '{{}}'
FROM generate_series(0, 9999) n;
INSERT INTO notifications (user_id, type, title, message, read, read_at, created_at)
SELECT lpad((n * 7 % 1000)::text, 32, '0')::uuid, 'alert', 'x', '', n % 3 > 0, CASE WHEN n % 3 > 0 THEN now() END,
    '{NOON.isoformat()}'::timestamptz + n * interval '1 s'
FROM generate_series(1, 60000) n;
RESET session_replication_role;
ANALYZE;
"""


@pytest_asyncio.fixture
async def full(owner: Owner) -> AsyncIterator[Owner]:
    """Tables that are large enough for a plan to matter, read with the role of the application, as the system."""
    await owner.execute(FILL)
    await owner.execute("SET ROLE moneta_app; SELECT set_config('app.system', 'on', false)")
    await owner.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads, format="text")
    yield owner
    await owner.execute("RESET ROLE")


async def test_no_statement_reads_a_whole_table(full: Owner) -> None:
    users = [row[0] for row in await full.fetch("SELECT id FROM users LIMIT 3")]
    ids = [row[0] for row in await full.fetch("SELECT id FROM notifications LIMIT 3")]
    searched: tuple[tuple[Statement, tuple[object, ...]], ...] = (
        (NotificationSql.mark_read, (users[0], ids, NOON)),
        (NotificationSql.mark_read_until, (users[0], NOON, NOON)),
        (NotificationSql.who_wants_mail, (users,)),
        (NotificationSql.mails_of_notifications, (ids,)),
    )
    for query, arguments in searched:
        assert await scans(full, query, *arguments) == set(), query.name


async def test_no_loader_reads_a_whole_table(full: Owner) -> None:
    users = [row[0] for row in await full.fetch("SELECT id FROM users LIMIT 3")]
    ids = [row[0] for row in await full.fetch("SELECT id FROM notifications LIMIT 3")]
    assert await scans(full, notification_loaders.notification_by_id.query, ids) == set()
    assert await scans(full, notification_loaders.unread_count_by_user.query, users) == set()
    loader = notification_loaders.notifications_by_user
    for filters in ({}, {"read": False}, {"type": "alert"}):
        for query, arguments in (page_of(loader, *users, filters=filters), count_of(loader, *users, **filters)):
            assert await scans(full, query, *arguments) == set(), filters


async def test_the_tables_are_large_enough_for_the_plans_to_mean_something(full: Owner) -> None:
    everything = statement("", "", "SELECT id FROM notifications WHERE title = $1")
    assert "notifications" in {table[:13] for table in await scans(full, everything, "x")}

"""Notifying: the row, the event and the mail; and marking as read."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from app.domains.accounts.model import Viewer
from app.domains.notifications.model import NOTIFICATION_CREATED, NotificationType, created_of
from app.kit.db import SYSTEM, Tx
from app.kit.house import Services
from app.kit.work import Work, working
from app.main import Application
from tests.domains.notifications.stage import Stage, mails, set_mail, work
from tests.factories import register


async def test_each_notification_is_a_row_and_an_event_with_its_data_and_reference(stage: Stage, bob: Viewer) -> None:
    reference = uuid4()
    await stage.notify(
        [
            stage.new("1", message="First", type=NotificationType.ALERT, data={"value": "1.50"}, reference=reference),
            stage.new("2", by=bob),
            stage.new("3"),
        ]
    )
    rows = await stage.owner.fetch(
        "SELECT id, user_id, type, title, message, data::text, alert_id, read, created_at FROM notifications"
        " ORDER BY title"
    )
    now = stage.clock.now()
    assert [tuple(row)[1:] for row in rows] == [
        (stage.alice.user_id, "alert", "1", "First", '{"value": "1.50"}', reference, False, now),
        (bob.user_id, "system", "2", "", "{}", None, False, now),
        (stage.alice.user_id, "system", "3", "", "{}", None, False, now),
    ]
    first, third = await stage.facts()
    assert first == {
        "id": str(rows[0]["id"]),
        "created_at": now.isoformat().replace("+00:00", "Z"),
        "alert_id": str(reference),
        "value": "1.50",
    }
    assert set(third) == {"id", "created_at"}
    assert created_of(third).id == rows[2]["id"]
    assert created_of(third).created_at == now
    assert [created_of(fact).id for fact in await stage.facts(bob)] == [rows[1]["id"]]
    kinds = await stage.owner.fetch("SELECT DISTINCT kind FROM events")
    assert [row[0] for row in kinds] == [NOTIFICATION_CREATED]


async def test_however_many_take_the_same_statements_and_none_take_none(stage: Stage) -> None:
    counted = []
    for count in (0, 1, 30):
        new = [stage.new(str(number)) for number in range(count)]

        async def notify(tx: Tx, new: Any = new) -> int:
            with working(Work()) as done:
                await stage.notifications.notify(tx, new)
            return done.statements

        counted.append(await stage.database.write(SYSTEM, notify))
    # The rows, the users who want mail, and the events.
    assert counted == [0, 3, 3]
    assert [len(await stage.facts())] == [31]


async def test_they_are_made_at_the_moment_that_is_given(stage: Stage) -> None:
    at = stage.clock.now() - timedelta(minutes=1)
    await stage.database.write(SYSTEM, lambda tx: stage.notifications.notify(tx, [stage.new("1")], at))
    assert await stage.owner.fetchval("SELECT created_at FROM notifications") == at
    assert [created_of(fact).created_at for fact in await stage.facts()] == [at]


async def test_nothing_is_sent_by_a_transaction_that_fails(stage: Stage, services: Services) -> None:
    await set_mail(services, stage.alice, {"email": True})
    with pytest.raises(asyncpg.CheckViolationError):
        await stage.notify([stage.new("1"), stage.new("")])
    assert await stage.owner.fetchval("SELECT count(*) FROM notifications") == 0
    assert await stage.facts() == []
    assert await stage.owner.fetchval("SELECT count(*) FROM pgqueuer") == 0


async def test_who_wants_mail_gets_one_for_each_transaction(
    stage: Stage, services: Services, application: Application, bob: Viewer
) -> None:
    await set_mail(services, stage.alice, {"email": True})
    await stage.notify([stage.new("1", message="One."), stage.new("2", by=bob), stage.new("3", message="Three.")])
    assert await work(services, stage.owner) == ["market.alert_mails", "accounts.mail"]
    [(to, subject, text)] = await mails(application)
    assert (to, subject) == ("alice@example.com", "Moneta: 2 new notifications")
    assert "1\nOne." in text
    assert "3\nThree." in text
    await stage.send("4")
    await work(services, stage.owner)
    assert [mail[1] for mail in await mails(application)] == ["Moneta: 4", "Moneta: 2 new notifications"]
    assert await stage.unread(bob) == (1, 1)


@pytest.mark.parametrize(
    ("types", "subject"),
    [
        ([NotificationType.ALERT] * 2, "Moneta: 2 of your alerts have fired"),
        ([NotificationType.ALERT, NotificationType.SYSTEM], "Moneta: 2 new notifications"),
    ],
)
async def test_the_subject_of_a_mail_says_what_it_is_about(
    stage: Stage, services: Services, application: Application, types: list[NotificationType], subject: str
) -> None:
    await set_mail(services, stage.alice, {"email": True})
    await stage.notify([stage.new(str(number), type=type) for number, type in enumerate(types)])
    await work(services, stage.owner)
    assert [mail[1] for mail in await mails(application)] == [subject]


@pytest.mark.parametrize("value", [{"email": False}, {"email": "true"}, {}, True, [], None, {"push": True}])
async def test_who_does_not_want_mail_gets_none(stage: Stage, services: Services, value: Any) -> None:
    await set_mail(services, stage.alice, value)
    await stage.send("1")
    assert await stage.unread() == (1, 1)
    assert await stage.owner.fetchval("SELECT count(*) FROM pgqueuer") == 0


async def test_an_address_that_is_not_verified_gets_none(
    stage: Stage, services: Services, application: Application
) -> None:
    carol = await register(services, "carol@example.com", verified=False)
    await work(services, stage.owner)
    before = await mails(application)
    await set_mail(services, carol, {"email": True})
    await stage.send("1", by=carol)
    assert await work(services, stage.owner) == ["market.alert_mails"]
    assert await mails(application) == before


async def test_a_mail_about_many_is_cut(stage: Stage, services: Services, application: Application) -> None:
    await set_mail(services, stage.alice, {"email": True})
    await stage.notify(stage.new(f"Title {number}", type=NotificationType.ALERT) for number in range(60))
    await work(services, stage.owner)
    [(_, subject, text)] = await mails(application)
    assert subject == "Moneta: 60 of your alerts have fired"
    assert text.count("Title") == 50
    assert "And 10 more" in text


async def test_what_was_read_is_counted_no_more_and_marking_it_again_changes_nothing(stage: Stage) -> None:
    ids = await stage.send("1", "2", "3")
    assert await stage.unread() == (3, 3)
    assert await stage.notifications.mark_read(stage.alice, [ids[1], uuid4()]) == 1
    first = stage.clock.now()
    stage.clock.advance(timedelta(seconds=5))
    assert await stage.notifications.mark_read(stage.alice, [ids[1]]) == 0
    assert await stage.unread() == (2, 2)
    rows = await stage.owner.fetch("SELECT id, read_at FROM notifications WHERE read")
    assert [tuple(row) for row in rows] == [(ids[1], first)]


async def test_all_up_to_a_moment_are_marked_and_later_ones_are_not(stage: Stage) -> None:
    await stage.send("1", "2")
    until = stage.clock.now()
    stage.clock.advance(timedelta(seconds=1))
    await stage.send("3")
    assert await stage.notifications.mark_read_until(stage.alice, until) == 2
    assert await stage.notifications.mark_read_until(stage.alice, until) == 0
    assert await stage.unread() == (1, 1)


async def test_nobody_marks_notifications_of_another_user(stage: Stage, bob: Viewer) -> None:
    ids = await stage.send("1", "2")
    assert await stage.notifications.mark_read(bob, ids) == 0
    assert await stage.notifications.mark_read_until(bob, stage.clock.now()) == 0
    assert (await stage.unread(), await stage.unread(bob)) == ((2, 2), (0, 0))


async def test_more_than_a_thousand_are_counted_as_a_thousand(stage: Stage) -> None:
    await stage.owner.execute(
        "INSERT INTO notifications (user_id, type, title, message, created_at)"
        " SELECT $1, 'system', 'x', '', $2 FROM generate_series(1, 1001)",
        stage.alice.user_id, stage.clock.now(),
    )  # fmt: skip
    assert await stage.unread() == (1000, 100)


async def test_they_are_kept_for_six_months(stage: Stage) -> None:
    kept = await stage.owner.fetchval("SELECT retention FROM partitioned_tables WHERE table_name = 'notifications'")
    assert kept == timedelta(days=6 * 30)


async def test_only_the_reference_of_an_alert_is_an_alert(stage: Stage) -> None:
    alert, other = UUID(int=1), UUID(int=2)
    await stage.notify(
        [
            stage.new("1", type=NotificationType.ALERT, data={"symbol": "BTC"}, reference=alert),
            stage.new("2", data={"symbol": "ETH"}, reference=other),
            stage.new("3"),
        ]
    )
    rows = await stage.owner.fetch("SELECT alert_id, data::text FROM notifications ORDER BY title")
    assert [(row[0], json.loads(row[1])) for row in rows] == [
        (alert, {"symbol": "BTC"}),
        (None, {"symbol": "ETH", "reference": str(other)}),
        (None, {}),
    ]
    shown = [{key: fact.get(key) for key in ("alert_id", "reference")} for fact in await stage.facts()]
    assert shown == [
        {"alert_id": str(alert), "reference": None},
        {"alert_id": None, "reference": str(other)},
        {"alert_id": None, "reference": None},
    ]

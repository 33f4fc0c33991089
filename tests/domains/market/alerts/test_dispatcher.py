"""What users are told: the mail that some want, and what they have read."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from app.domains.accounts.jobs import accounts_jobs
from app.domains.accounts.model import Viewer
from app.domains.market.jobs import market_jobs
from app.domains.notifications import loaders as notification_loaders
from app.kit.loaders import PageRequest
from app.kit.mail import FolderMailer
from app.kit.reads import Reads
from app.main import Application
from app.schema.services import Services
from tests.conftest import Owner
from tests.domains.market.alerts.stage import Stage, above, below
from tests.factories import register


async def wish(services: Services, viewer: Viewer, value: Any) -> None:
    await services.accounts.profiles.put_setting(viewer, "notifications", value)


async def work(services: Services, owner: Owner) -> list[str]:
    """Does what is queued, as the worker would; returns the names of what was done."""
    handlers = {job.name: job.handler for job in [*accounts_jobs(services.accounts), *market_jobs(services.market)]}
    done: list[str] = []
    while rows := await owner.fetch("DELETE FROM pgqueuer RETURNING entrypoint, payload"):
        for row in rows:
            await handlers[row["entrypoint"]](msgspec.json.decode(row["payload"]))
            done.append(row["entrypoint"])
    return done


async def mails(application: Application) -> list[tuple[str, str, str]]:
    assert isinstance(application.mailer, FolderMailer)
    return [(each.message.to, each.message.subject, each.message.text) for each in await application.mailer.recent()]


async def test_who_wants_it_gets_one_mail_a_tick(
    stage: Stage, services: Services, application: Application, bob: Viewer
) -> None:
    await wish(services, stage.alice, {"email": True})
    for price in ("100", "105"):
        await stage.create(above(price))
        await stage.create(above(price), by=bob)
    await stage.create(below("95"))
    await stage.tick("90", "110")
    assert await work(services, stage.owner) == ["market.alert_mails", "accounts.mail"]
    [(to, subject, text)] = await mails(application)
    assert (to, subject) == ("alice@example.com", "Moneta: 2 of your alerts have fired")
    assert "BTC rose to 100 USD\nBTC is at 110 USD (simulated)." in text
    assert "BTC rose to 105 USD" in text
    await stage.tick("90")
    await work(services, stage.owner)
    subjects = {mail[1] for mail in await mails(application)}
    assert subjects == {"Moneta: BTC fell to 95 USD", "Moneta: 2 of your alerts have fired"}
    assert len(await stage.titles(bob)) == 2


@pytest.mark.parametrize("value", [{"email": False}, {"email": "true"}, {}, True, [], None, {"push": True}])
async def test_who_does_not_want_it_gets_none(stage: Stage, services: Services, value: Any) -> None:
    await wish(services, stage.alice, value)
    await stage.create(above("100"))
    await stage.tick("90", "110")
    assert len(await stage.titles()) == 1
    assert await stage.owner.fetchval("SELECT count(*) FROM pgqueuer") == 0


async def test_an_address_that_is_not_verified_gets_none(
    stage: Stage, services: Services, application: Application
) -> None:
    carol = await register(services, "carol@example.com", verified=False)
    await work(services, stage.owner)
    before = await mails(application)
    await wish(services, carol, {"email": True})
    await stage.create(above("100"), by=carol)
    await stage.tick("90", "110")
    assert await work(services, stage.owner) == ["market.alert_mails"]
    assert await mails(application) == before


async def test_a_mail_of_hundreds_is_cut(stage: Stage, services: Services, application: Application) -> None:
    await wish(services, stage.alice, {"email": True})
    for price in range(100, 160):
        await stage.create(above(str(price)))
    await stage.tick("90", "200")
    await work(services, stage.owner)
    [(_, subject, text)] = await mails(application)
    assert subject == "Moneta: 60 of your alerts have fired"
    assert text.count("BTC rose to") == 50
    assert "And 10 more" in text


async def unread(stage: Stage, by: Viewer | None = None) -> tuple[int, int]:
    """How many are counted as unread, and how many are listed."""
    viewer = by or stage.alice
    reads = Reads(stage.database, viewer.scope)
    counted = await reads.one(notification_loaders.unread_count_by_user, viewer.user_id)
    assert counted is not None
    listed = await reads.page(
        notification_loaders.unread_notifications_by_user, viewer.user_id, PageRequest(100, None, (None,))
    )
    await reads.aclose()
    return counted.unread, len(listed.records)


async def told(stage: Stage, *prices: str, by: Viewer | None = None) -> list[Any]:
    for price in prices:
        await stage.create(above(price), by=by)
    await stage.tick("1", *prices)
    rows = await stage.owner.fetch(
        "SELECT id FROM notifications WHERE user_id = $1 ORDER BY created_at", (by or stage.alice).user_id
    )
    return [row[0] for row in rows]


async def test_what_was_read_is_counted_no_more_and_marking_it_again_changes_nothing(stage: Stage) -> None:
    ids = await told(stage, "10", "20", "30")
    assert await unread(stage) == (3, 3)
    notifications = stage.market.notifications
    assert await notifications.mark_read(stage.alice, [ids[1], uuid4()]) == 1
    first = stage.clock.now()
    stage.clock.advance(timedelta(seconds=5))
    assert await notifications.mark_read(stage.alice, [ids[1]]) == 0
    assert await unread(stage) == (2, 2)
    rows = await stage.owner.fetch("SELECT id, read_at FROM notifications WHERE read")
    assert [tuple(row) for row in rows] == [(ids[1], first)]


async def test_all_up_to_a_moment_are_marked_and_what_came_since_is_not(stage: Stage) -> None:
    await told(stage, "10", "20")
    until = stage.clock.now()
    await told(stage, "30")
    assert await stage.market.notifications.mark_read_until(stage.alice, until) == 2
    assert await stage.market.notifications.mark_read_until(stage.alice, until) == 0
    assert await unread(stage) == (1, 1)


async def test_nobody_marks_what_another_was_told(stage: Stage, bob: Viewer) -> None:
    ids = await told(stage, "10", "20")
    notifications = stage.market.notifications
    assert await notifications.mark_read(bob, ids) == 0
    assert await notifications.mark_read_until(bob, stage.clock.now()) == 0
    assert (await unread(stage), await unread(stage, bob)) == ((2, 2), (0, 0))


async def test_more_than_a_thousand_are_a_thousand(stage: Stage) -> None:
    await stage.owner.execute(
        "INSERT INTO notifications (user_id, type, title, message, created_at)"
        " SELECT $1, 'system', 'x', '', $2 FROM generate_series(1, 1001)",
        stage.alice.user_id, stage.clock.now(),
    )  # fmt: skip
    assert await unread(stage) == (1000, 100)


async def test_they_are_kept_for_six_months(stage: Stage) -> None:
    kept = await stage.owner.fetchval("SELECT retention FROM partitioned_tables WHERE table_name = 'notifications'")
    assert kept == timedelta(days=6 * 30)

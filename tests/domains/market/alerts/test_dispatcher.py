"""An alert that fires notifies its owner: in the list, on the stream, and by mail if they want it."""

from app.domains.accounts.model import Viewer
from app.domains.market.alerts.model import AlertFired, AlertType, alert_fired_of
from app.kit.house import Services
from app.main import Application
from tests.domains.market.alerts.stage import Stage, above, below
from tests.domains.notifications.stage import mails, set_mail, work


async def test_who_wants_it_gets_one_mail_a_tick(
    stage: Stage, services: Services, application: Application, bob: Viewer
) -> None:
    await set_mail(services, stage.alice, {"email": True})
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


async def test_the_event_says_which_alert_fired_and_what_was_measured(stage: Stage) -> None:
    alert = await stage.create(above("100"))
    await stage.tick("90", "110.5")
    [row] = await stage.owner.fetch("SELECT id, type, data::text, alert_id, created_at FROM notifications")
    assert tuple(row)[1:] == (
        "alert",
        '{"value": "110.500000000000", "symbol": "BTC", "alert_type": "price_above"}',
        alert.id,
        stage.clock.now(),
    )
    [fact] = await stage.facts()
    assert fact == {
        "id": str(row["id"]),
        "created_at": stage.clock.now().isoformat().replace("+00:00", "Z"),
        "alert_id": str(alert.id),
        "alert_type": "price_above",
        "symbol": "BTC",
        "value": "110.500000000000",
    }
    fired = alert_fired_of(fact)
    assert isinstance(fired, AlertFired)
    assert (fired.alert_id, fired.alert_type) == (alert.id, AlertType.PRICE_ABOVE)


def test_other_notifications_are_not_about_an_alert() -> None:
    assert alert_fired_of({"id": "1", "created_at": "2026-11-21T12:00:00Z"}) is None

"""What users do with their alerts."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import msgspec
import pytest

from app.domains.accounts.model import Viewer
from app.domains.market.alerts import loaders as alert_loaders
from app.domains.market.alerts.model import (
    Alert,
    AlertChanges,
    AlertLimitReached,
    Comparison,
    Condition,
    NewAlert,
    NewsImpact,
    Rearm,
    SentimentChange,
    TechnicalIndicator,
    VolumeSpike,
    WhaleTransaction,
)
from app.domains.market.alerts.services.alerts import Alerts
from app.domains.market.analysis.model.technical import Indicator
from app.domains.market.prices.model import Interval
from app.domains.market.tokens.model import TokenNotFound
from app.kit.db import PUBLIC
from app.kit.errors import IdempotencyKeyReused, InvalidInput, NotFound, ResultDeleted
from app.kit.lists import page_request
from app.kit.reads import Reads
from tests.databases import Owner
from tests.domains.market.alerts.stage import Stage, above, below

RSI = TechnicalIndicator(Indicator.RSI_14, Interval.ONE_HOUR, Comparison.BELOW, Decimal(30))
CONDITIONS: list[tuple[Condition, str, dict[str, object], Decimal]] = [
    (above("0.00000812"), "price_above", {"price": "0.00000812"}, Decimal("0.00000812")),
    (below("1"), "price_below", {"price": "1"}, Decimal(1)),
    (VolumeSpike(Decimal("2.5"), 15), "volume_spike", {"multiple": "2.5", "window_minutes": 15}, Decimal("2.5")),
    (
        RSI,
        "technical_indicator",
        {"indicator": "rsi_14", "interval": "1h", "comparison": "below", "value": "30"},
        Decimal(30),
    ),
    (SentimentChange(), "sentiment_change", {"points": 30}, Decimal(30)),
    (WhaleTransaction(Decimal(100)), "whale_tx", {"minimum_amount": "100"}, Decimal(100)),
    (NewsImpact(70), "news_impact", {"minimum_impact": 70}, Decimal(70)),
]


@pytest.mark.parametrize(("condition", "kind", "details", "threshold"), CONDITIONS)
async def test_each_type_is_stored_and_read_as_it_was_given(
    stage: Stage, condition: Condition, kind: str, details: dict[str, object], threshold: Decimal
) -> None:
    alert = await stage.create(condition, symbol=" btc ", rearm=Rearm.AFTER_COOLDOWN, cooldown_s=60, expires_s=90)
    now = stage.clock.now()
    assert alert == Alert(
        alert.id, stage.alice.user_id, "BTC", kind, threshold, details, "after_cooldown", 60, True, False, None, 0,
        None, now, now, alert.updated_at, now + timedelta(seconds=90), True,
    )  # fmt: skip
    assert alert.condition == condition
    assert await stage.alert(alert.id) == alert


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        *((above(price), "price_usd") for price in ("NaN", "Infinity", "-1", "0", "1E12", "1E300", "0.0000000000001")),
        (below("-Infinity"), "price_usd"),
        (VolumeSpike(Decimal(1), 15), "volume_ratio"),
        (VolumeSpike(Decimal("NaN"), 15), "volume_ratio"),
        (VolumeSpike(Decimal(1001), 15), "volume_ratio"),
        (VolumeSpike(Decimal("1.00001"), 15), "volume_ratio"),
        *((VolumeSpike(Decimal(2), window), "window_ms") for window in (0, -5, 7, 1445, 2**31)),
        (msgspec.structs.replace(RSI, value=Decimal("sNaN")), "value"),
        (msgspec.structs.replace(RSI, value=Decimal("-1E12")), "value"),
        *((SentimentChange(points), "points") for points in (0, -1, 100)),
        *((WhaleTransaction(Decimal(coins)), "min_amount") for coins in ("0", "21000001", "0.000000001", "NaN")),
        *((NewsImpact(impact), "min_impact") for impact in (0, 101, -(2**31))),
    ],
)
async def test_a_condition_that_cannot_be_met_is_refused(stage: Stage, condition: Condition, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await stage.create(condition)
    assert caught.value.path == ("condition", field)
    assert await stage.owner.fetchval("SELECT count(*) FROM alerts") == 0


@pytest.mark.parametrize(
    ("rearm", "cooldown_s"),
    [(Rearm.ONCE, 60), (Rearm.EVERY_TIME, 1), (Rearm.AFTER_COOLDOWN, None), (Rearm.AFTER_COOLDOWN, 0),
     (Rearm.AFTER_COOLDOWN, 31_536_001)],
)  # fmt: skip
async def test_a_cooldown_is_there_exactly_where_it_belongs(stage: Stage, rearm: Rearm, cooldown_s: int | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        await stage.create(above("1"), rearm=rearm, cooldown_s=cooldown_s)
    assert caught.value.path == ("cooldown_ms",)


async def test_what_has_expired_is_not_made_nor_changed_into(stage: Stage) -> None:
    with pytest.raises(InvalidInput) as caught:
        await stage.create(above("1"), expires_s=0)
    assert caught.value.path == ("expires_at",)
    alert = await stage.create(above("1"))
    with pytest.raises(InvalidInput) as caught:
        await stage.market.alerts.update(stage.alice, alert.id, AlertChanges(expires_at=stage.clock.now()))
    assert caught.value.path == ("expires_at",)


@pytest.mark.parametrize("symbol", ["", "NOPE", "BTC\0", "\ud800", "x" * 10_000, "'; DROP TABLE alerts"])
async def test_an_unknown_token_is_refused(stage: Stage, symbol: str) -> None:
    with pytest.raises(TokenNotFound):
        await stage.create(above("1"), symbol=symbol)
    assert await stage.owner.fetchval("SELECT count(*) FROM alerts") == 0


async def test_only_the_chain_that_is_followed_has_payments(stage: Stage) -> None:
    with pytest.raises(InvalidInput) as caught:
        await stage.create(WhaleTransaction(Decimal(1)), symbol="ETH")
    assert caught.value.path == ("symbol",)


async def test_a_replay_is_answered_as_the_first_time(stage: Stage) -> None:
    alerts, new = stage.market.alerts, NewAlert(symbol="BTC", condition=above("100"))
    first = await alerts.create(stage.alice, new, "key")
    assert await alerts.create(stage.alice, msgspec.structs.replace(new, symbol="btc"), "key") == first
    for other in (
        msgspec.structs.replace(new, condition=above("101")),
        msgspec.structs.replace(new, condition=below("100")),
        msgspec.structs.replace(new, rearm=Rearm.EVERY_TIME),
    ):
        with pytest.raises(IdempotencyKeyReused):
            await alerts.create(stage.alice, other, "key")
    assert await stage.owner.fetchval("SELECT count(*) FROM alerts") == 1
    await alerts.delete(stage.alice, first.id)
    with pytest.raises(ResultDeleted):
        await alerts.create(stage.alice, new, "key")


async def test_a_replay_may_come_after_the_expiry(stage: Stage) -> None:
    expiring = NewAlert(symbol="BTC", condition=above("100"), expires_at=stage.clock.now() + timedelta(seconds=1))
    first = await stage.market.alerts.create(stage.alice, expiring, "key")
    stage.clock.advance(timedelta(seconds=2))
    assert await stage.market.alerts.create(stage.alice, expiring, "key") == first


@pytest.mark.usefixtures("warm")
async def test_nobody_has_more_than_the_limit_however_many_they_make_at_once(stage: Stage, bob: Viewer) -> None:
    few = Alerts(stage.database, stage.clock, stage.market.alerts.events, 3, "BTC")
    new = NewAlert(symbol="BTC", condition=above("100"))
    outcomes = await asyncio.gather(
        *(few.create(stage.alice, new, f"key {number}") for number in range(12)), return_exceptions=True
    )
    assert sum(isinstance(outcome, Alert) for outcome in outcomes) == 3
    refused = [outcome for outcome in outcomes if not isinstance(outcome, Alert)]
    assert [(type(each), getattr(each, "limit", None)) for each in refused] == [(AlertLimitReached, 3)] * 9
    assert await stage.owner.fetchval("SELECT count(*) FROM alerts") == 3
    assert isinstance(await few.create(bob, new, "key"), Alert)


async def fired(stage: Stage, *, rearm: Rearm = Rearm.ONCE) -> Alert:
    """An alert that has fired."""
    alert = await stage.create(above("100"), rearm=rearm)
    await stage.tick("90", "110", "90")
    found = await stage.alert(alert.id)
    assert found is not None
    assert found.triggered
    return found


@pytest.mark.parametrize(
    "changes",
    [
        AlertChanges(enabled=True),
        AlertChanges(condition=above("105")),
        AlertChanges(rearm=Rearm.EVERY_TIME),
        AlertChanges(rearm=Rearm.AFTER_COOLDOWN, cooldown_s=60),
        AlertChanges(expires_at=None),
    ],
)
async def test_whatever_is_changed_of_an_enabled_alert_arms_it_anew(stage: Stage, changes: AlertChanges) -> None:
    alert = await fired(stage)
    stage.clock.advance(timedelta(minutes=1))
    changed = await stage.market.alerts.update(stage.alice, alert.id, changes)
    assert (changed.triggered, changed.trigger_count, changed.triggered_at, changed.current_value) == (
        False, 0, None, None,
    )  # fmt: skip
    assert changed.armed_at == stage.clock.now()
    await stage.tick("110")
    assert len(await stage.titles()) == 2


async def test_an_alert_of_which_nothing_is_changed_stays_as_it_is(stage: Stage, owner: Owner) -> None:
    alert, count = await fired(stage), "SELECT count(*) FROM events"
    before = await owner.fetchval(count)
    stage.clock.advance(timedelta(minutes=1))
    assert await stage.market.alerts.update(stage.alice, alert.id, AlertChanges()) == alert
    assert await owner.fetchval(count) == before
    await stage.tick("110")
    assert len(await stage.titles()) == 1


async def test_a_disabled_alert_rests_and_keeps_what_it_has_done_until_it_is_enabled(stage: Stage) -> None:
    alert = await fired(stage, rearm=Rearm.EVERY_TIME)
    update = stage.market.alerts.update
    disabled = await update(stage.alice, alert.id, AlertChanges(enabled=False))
    assert (disabled.enabled, disabled.triggered, disabled.trigger_count) == (False, True, 1)
    assert disabled.armed_at == alert.armed_at
    await stage.tick("110", "90")
    assert len(await stage.titles()) == 1
    enabled = await update(stage.alice, alert.id, AlertChanges(enabled=True))
    assert (enabled.triggered, enabled.trigger_count) == (False, 0)
    await stage.tick("110")
    assert len(await stage.titles()) == 2


async def test_what_is_left_out_stays(stage: Stage) -> None:
    alert = await stage.create(above("100"), rearm=Rearm.AFTER_COOLDOWN, cooldown_s=60, expires_s=90)
    update = stage.market.alerts.update
    changed = await update(stage.alice, alert.id, AlertChanges(condition=above("200")))
    assert changed == msgspec.structs.replace(
        alert, threshold_value=Decimal(200), condition_details={"price": "200"}, updated_at=changed.updated_at
    )
    changed = await update(stage.alice, alert.id, AlertChanges(rearm=Rearm.AFTER_COOLDOWN))
    assert (changed.rearm, changed.cooldown_s) == ("after_cooldown", 60)
    changed = await update(stage.alice, alert.id, AlertChanges(rearm=Rearm.EVERY_TIME))
    assert (changed.rearm, changed.cooldown_s, changed.expires_at) == ("every_time", None, alert.expires_at)
    changed = await update(stage.alice, alert.id, AlertChanges(expires_at=None))
    assert changed.expires_at is None
    with pytest.raises(InvalidInput, match="Only AFTER_COOLDOWN"):
        await update(stage.alice, alert.id, AlertChanges(cooldown_s=60))


async def test_an_alert_keeps_its_type(stage: Stage) -> None:
    alert = await stage.create(above("100"))
    with pytest.raises(InvalidInput) as caught:
        await stage.market.alerts.update(stage.alice, alert.id, AlertChanges(condition=below("100")))
    assert caught.value.path == ("condition",)
    with pytest.raises(InvalidInput) as caught:
        await stage.market.alerts.update(stage.alice, alert.id, AlertChanges(condition=above("NaN")))
    assert caught.value.path == ("condition", "price_usd")
    assert await stage.alert(alert.id) == alert


async def test_a_deleted_alert_is_gone_but_for_its_notifications(stage: Stage) -> None:
    alert = await fired(stage)
    await stage.market.alerts.delete(stage.alice, alert.id)
    assert await stage.alert(alert.id) is None
    assert await stage.titles() == ["BTC rose to 100 USD"]
    for id in (alert.id, uuid4()):
        with pytest.raises(NotFound):
            await stage.market.alerts.delete(stage.alice, id)


async def test_the_expired_are_deleted_with_what_was_kept_for_them(stage: Stage) -> None:
    gone = await stage.create(SentimentChange(), expires_s=10)
    kept = await stage.create(SentimentChange(), expires_s=11)
    await stage.owner.executemany(
        "INSERT INTO alert_marks (kind, subject, value, at) VALUES ($1, $2, 50, now())",
        [("sentiment_change", str(gone.id)), ("sentiment_change", str(kept.id)), ("technical_indicator", "BTC:x")],
    )
    stage.clock.advance(timedelta(seconds=10))
    assert await stage.market.alerts.delete_expired() == "1 deleted"
    assert [row[0] for row in await stage.owner.fetch("SELECT id FROM alerts")] == [kept.id]
    marks = {row[0] for row in await stage.owner.fetch("SELECT subject FROM alert_marks")}
    assert marks == {str(kept.id), "BTC:x"}


async def test_another_user_sees_and_changes_nothing(stage: Stage, bob: Viewer) -> None:
    alert = await fired(stage)
    assert await stage.alert(alert.id, bob) is None
    with pytest.raises(NotFound):
        await stage.market.alerts.update(bob, alert.id, AlertChanges(enabled=False))
    with pytest.raises(NotFound):
        await stage.market.alerts.delete(bob, alert.id)
    assert await stage.alert(alert.id) == alert


async def page(stage: Stage, **filters: object) -> list[UUID]:
    reads, loader = Reads(stage.database, stage.alice.scope), alert_loaders.alerts_by_user
    request = page_request(loader, 20, filters=filters)
    result = await reads.page(loader, stage.alice.user_id, request)
    count = await reads.count(loader, stage.alice.user_id, request.filters)
    await reads.aclose()
    assert count == len(result.records)
    return [alert.id for alert in result.records]


async def test_they_are_listed_the_newest_first_by_symbol_type_and_whether_they_may_fire(stage: Stage) -> None:
    made = []
    for condition, symbol in ((above("100"), "BTC"), (above("100"), "ETH"), (SentimentChange(), "BTC")):
        stage.clock.advance(timedelta(seconds=1))
        made.append((await stage.create(condition, symbol=symbol)).id)
    await stage.tick("90", "110")
    assert await page(stage) == made[::-1]
    assert await page(stage, symbol="BTC") == [made[2], made[0]]
    assert await page(stage, type="price_above") == [made[1], made[0]]
    assert await page(stage, armed=True) == [made[2], made[1]]
    assert await page(stage, symbol="BTC", type="price_above", armed=False) == [made[0]]
    nobody = Reads(stage.database, PUBLIC)
    request = page_request(alert_loaders.alerts_by_user, 20)
    assert (await nobody.page(alert_loaders.alerts_by_user, stage.alice.user_id, request)).records == []
    await nobody.aclose()


async def test_an_alert_that_has_expired_is_not_armed_anew_without_another_expiry(stage: Stage) -> None:
    alert = await stage.create(above("100"), expires_s=60)
    stage.clock.advance(timedelta(minutes=2))
    with pytest.raises(InvalidInput, match="in the future"):
        await stage.market.alerts.update(stage.alice, alert.id, AlertChanges(condition=above("200")))
    assert (await stage.market.alerts.update(stage.alice, alert.id, AlertChanges(enabled=False))).enabled is False
    armed = await stage.market.alerts.update(stage.alice, alert.id, AlertChanges(enabled=True, expires_at=None))
    assert (armed.enabled, armed.expires_at) == (True, None)

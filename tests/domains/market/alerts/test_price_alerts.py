"""Alerts on prices: when they fire, what they leave behind, and that they do so once."""

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domains.accounts.model import Viewer
from app.domains.market.alerts.model import Condition, Firing, Rearm
from app.domains.market.alerts.services import matcher
from app.domains.market.prices.model import Move
from app.kit.db import SYSTEM
from app.kit.work import Work, working
from tests.domains.market.alerts.model import Model
from tests.domains.market.alerts.stage import Stage, above, below
from tests.waiting import until


async def test_it_fires_when_the_price_comes_to_it_and_says_so(stage: Stage) -> None:
    alert = await stage.create(above("100"))
    await stage.tick("90", "99.999999999999")
    assert (await stage.titles(), await stage.facts()) == ([], [])
    await stage.tick("100")
    fired = await stage.alert(alert.id)
    assert fired is not None
    now = stage.clock.now()
    assert (fired.triggered, fired.triggered_at, fired.trigger_count, fired.current_value) == (
        True, now, 1, Decimal(100),
    )  # fmt: skip
    rows = await stage.owner.fetch("SELECT id, type, title, message, alert_id, read, created_at FROM notifications")
    assert [tuple(row)[1:] for row in rows] == [
        ("alert", "BTC rose to 100 USD", "BTC is at 100 USD (simulated).", alert.id, False, now)
    ]
    assert await stage.facts() == [
        {
            "id": str(rows[0]["id"]),
            "created_at": "2026-11-21T12:00:03Z",
            "alert_id": str(alert.id),
            "alert_type": "price_above",
            "symbol": "BTC",
            "value": "100.000000000000",
        }
    ]
    await stage.tick("101", "99", "101")
    assert len(await stage.titles()) == 1


@pytest.mark.parametrize(
    ("condition", "prices", "fires"),
    [
        (above("100"), ("100", "101"), False),
        (above("100"), ("101", "102"), False),
        (above("100"), ("99", "5000"), True),
        (above("100"), ("101", "99"), False),
        (below("100"), ("100", "99"), False),
        (below("100"), ("100.000000000001", "100"), True),
        (below("100"), ("500", "0.000000000001"), True),
        (below("100"), ("99", "101"), False),
        (above("100"), ("100",), False),
        (above("0.000000000002"), ("0.000000000001", "0.000000000002"), True),
        (below("999999999999.999999999999"), ("999999999999.999999999999", "1"), False),
        # Nearer than two floats can distinguish: the exact value decides.
        (above("123456789012.000000000002"), ("123456789012", "123456789012.000000000001"), False),
        (above("123456789012.000000000002"), ("123456789012", "123456789012.000000000002"), True),
    ],
)
async def test_it_is_come_to_from_its_own_side_only(
    stage: Stage, condition: Condition, prices: tuple[str, ...], fires: bool
) -> None:
    await stage.create(condition)
    await stage.tick(*prices)
    assert len(await stage.titles()) == fires


async def test_only_the_token_that_moved_and_the_alerts_that_may_fire(stage: Stage, bob: Viewer) -> None:
    await stage.create(above("100"), symbol="ETH")
    await stage.create(above("100"), enabled=False)
    await stage.create(above("100"), expires_s=2)
    await stage.create(above("100"), by=bob)
    await stage.tick("90", "110")
    assert await stage.titles() == []
    assert await stage.titles(bob) == ["BTC rose to 100 USD"]


async def test_one_tick_of_many_symbols_notifies_each_owner_of_their_own_in_order(stage: Stage, bob: Viewer) -> None:
    await stage.create(above("10"), symbol="ETH")
    await stage.create(below("10"), symbol="SOL")
    await stage.create(below("11"), symbol="SOL", by=bob)
    await stage.move(
        Move("BTC", Decimal(5), Decimal(20)), Move("ETH", Decimal(5), Decimal(20)), Move("SOL", Decimal(20), Decimal(5))
    )
    assert await stage.titles() == ["ETH rose to 10 USD", "SOL fell to 10 USD"]
    assert await stage.titles(bob) == ["SOL fell to 11 USD"]
    assert [fact["symbol"] for fact in await stage.facts(bob)] == ["SOL"]
    assert sorted(fact["symbol"] for fact in await stage.facts()) == ["ETH", "SOL"]


async def test_a_tick_takes_the_same_statements_however_many_fire(stage: Stage) -> None:
    for price in range(10, 40):
        await stage.create(above(str(price)))
    counted = []
    for moves in ([Move("BTC", Decimal(1), Decimal(2))], [Move("BTC", Decimal(2), Decimal(50))]):
        with working(Work()) as work:
            await stage.move(*moves)
        counted.append(work.statements)
    # Finding; then firing, the notifications, the users who want mail, and the events.
    assert counted == [1, 5]
    assert len(await stage.titles()) == 30


async def test_an_alert_named_twice_fires_twice_if_its_owner_wants_every_time(stage: Stage) -> None:
    once = await stage.create(above("100"))
    every = await stage.create(above("100"), rearm=Rearm.EVERY_TIME)
    resting = await stage.create(above("100"), rearm=Rearm.AFTER_COOLDOWN, cooldown_s=60)
    firings = [Firing(each.id, Decimal(place), f"{place}", "") for each in (once, every, resting) for place in (1, 2)]
    assert await stage.database.write(SYSTEM, lambda tx: stage.market.dispatcher.fire(tx, firings)) == 4
    counts = [found.trigger_count for each in (once, every, resting) if (found := await stage.alert(each.id))]
    assert counts == [1, 2, 1]
    assert await stage.database.write(SYSTEM, lambda tx: stage.market.dispatcher.fire(tx, firings)) == 2


async def test_a_change_while_the_tick_waits_counts(stage: Stage) -> None:
    """The worker locks an alert until it has fired: its owner's change comes before or after, never between."""
    alert = await stage.create(above("100"))
    transaction = stage.owner.transaction()
    await transaction.start()
    await stage.owner.execute("UPDATE alerts SET threshold_value = 200 WHERE id = $1", alert.id)
    ticking = asyncio.create_task(stage.move(Move("BTC", Decimal(90), Decimal(110))))
    await until(lambda: stage.owner.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))
    await transaction.commit()
    await ticking
    assert await stage.titles() == []


async def test_a_clock_that_goes_back_loses_no_crossing(stage: Stage) -> None:
    await stage.create(above("100"), rearm=Rearm.EVERY_TIME)
    await stage.tick("90", "110")
    await stage.tick("90", "110", seconds=-60)
    assert len(await stage.titles()) == 2


async def test_a_backlog_fires_in_batches_and_each_alert_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matcher, "BATCH", 4)
    for number, rearm in enumerate((Rearm.ONCE, Rearm.EVERY_TIME) * 5, start=100):
        await stage.create(above(str(number)), rearm=rearm)
    await stage.tick("90", "110")
    assert len(await stage.titles()) == 4
    backlog_at = stage.clock.now()
    # An alert that is armed after the backlog began is not part of it.
    stage.clock.advance(timedelta(seconds=1))
    late = await stage.create(above("100"))
    [row] = await stage.owner.fetch("DELETE FROM pgqueuer RETURNING entrypoint, payload")
    assert row["entrypoint"] == matcher.BACKLOG_JOB
    # A job may run twice.
    for _ in range(2):
        await stage.market.matcher.work_off(json.loads(row["payload"]))
    assert sorted(await stage.titles()) == [f"BTC rose to {number} USD" for number in range(100, 110)]
    rows = await stage.owner.fetch("SELECT DISTINCT created_at FROM notifications")
    assert [row[0] for row in rows] == [backlog_at]
    found = await stage.alert(late.id)
    assert found is not None
    assert not found.triggered
    # The five that fire every time do so again.
    await stage.tick("90", "110")
    assert len(await stage.titles()) == 10 + 4
    assert await stage.owner.fetchval("SELECT count(*) FROM pgqueuer") == 1


thresholds = st.integers(1, 20).map(lambda half: Decimal(half) / 2)
policies = st.sampled_from([(Rearm.ONCE, None), (Rearm.EVERY_TIME, None)]) | st.tuples(
    st.just(Rearm.AFTER_COOLDOWN), st.integers(1, 8)
)
waiting = st.builds(
    lambda rises, threshold, policy, expires_s: Model(rises, threshold, policy[0], policy[1], expires_s),
    st.booleans(),
    thresholds,
    policies,
    st.none() | st.integers(1, 20).map(float),
)
walks = st.lists(st.tuples(st.integers(1, 10).map(Decimal), st.integers(1, 3)), min_size=2, max_size=25)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(models=st.lists(waiting, min_size=1, max_size=12), walk=walks)
async def test_each_alert_fires_exactly_when_the_model_says(
    stage: Stage, models: Sequence[Model], walk: Sequence[tuple[Decimal, int]]
) -> None:
    await stage.owner.execute("DELETE FROM alerts; DELETE FROM notifications")
    begun = stage.clock.now()
    ids = [
        (
            await stage.create(
                model.condition,
                rearm=model.rearm,
                cooldown_s=model.cooldown_s,
                expires_s=model.expires_s,
            )
        ).id
        for model in models
    ]
    at_s = 0.0
    for (before, _), (after, seconds) in pairwise(walk):
        at_s += seconds
        stage.clock.advance(timedelta(seconds=seconds))
        await stage.move(Move("BTC", before, after))
        for model in models:
            model.see(before, after, at_s)
    for id, model in zip(ids, models, strict=True):
        rows = await stage.owner.fetch(
            "SELECT created_at FROM notifications WHERE alert_id = $1 ORDER BY created_at", id
        )
        assert tuple((row[0] - begun).total_seconds() for row in rows) == model.fired_at_s
        alert = await stage.alert(id)
        assert alert is not None
        assert alert.trigger_count == len(model.fired_at_s)

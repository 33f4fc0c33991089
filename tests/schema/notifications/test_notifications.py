"""Notifications and price alerts as streams: sent once and in order, to their owner only, and resumable."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from app.domains.accounts.model import Viewer
from app.domains.market.alerts.model import Firing, NewsImpact, Rearm
from app.domains.market.services import MarketServices
from app.engine.streams.iterator import Failed
from app.engine.streams.model import Delivery, Transport
from app.kit.db import SYSTEM
from app.kit.loaders import Audience
from app.kit.process_rpc import ProcessRpc
from app.main import Application, build_runtime
from app.transport.runtime import AppRuntime, Caller
from tests.conftest import Execute
from tests.databases import Owner
from tests.domains.market.alerts.stage import Stage, above, below
from tests.domains.market.token_listing import list_tokens
from tests.engine.support import NOBODY
from tests.factories import CLIENT, register
from tests.kit.event_pipeline import hub_of, relaying
from tests.pulled_events import iterate
from tests.waiting import until

NOTIFICATIONS = (
    "subscription { notifications { cursor notification { title isRead alert { type } token { symbol } } } }"
)
PRICE_ALERTS = """subscription {
  priceAlerts { cursor priceUsd triggeredAt alert { triggerCount } notification { title } }
}"""
HANDOVER = "{ viewer { notifications { streamCursor nodes { title } } } }"


@dataclass
class Graph:
    """The graph with a relay, and a market whose prices move."""

    runtime: AppRuntime
    stage: Stage

    async def watching(
        self, document: str, viewer: Viewer | None, count: int, *, after: str | None = None
    ) -> "asyncio.Task[Any]":
        """A task for the first `count` events or the error codes of a refusal. It is subscribed, or has ended."""
        prepared = self.runtime.engine.prepare(document, None, None, introspection_allowed=True)
        assert not isinstance(prepared, list), prepared
        context = self.runtime.new_context(Caller(viewer, CLIENT, "test", from_browser=False))
        open_before = len(self.runtime.subscriptions)

        async def take() -> Any:
            taken: list[Any] = []
            stream = iterate(self.runtime.subscriptions, prepared, context, Transport.SSE, NOBODY, after=after)
            async with aclosing(stream):
                while len(taken) < count:
                    delivery = await anext(stream)
                    if isinstance(delivery, Failed):
                        return [error["extensions"]["code"] for error in delivery.errors]
                    assert isinstance(delivery, Delivery)
                    response = json.loads(delivery.body)
                    assert "errors" not in response, response
                    taken += response["data"].values()
            return taken

        task = asyncio.create_task(take())
        await until(lambda: len(self.runtime.subscriptions) > open_before or task.done())
        return task


@pytest_asyncio.fixture
async def alice(application: Application, owner: Owner) -> Viewer:
    await list_tokens(owner)
    return await register(application.services)


@pytest_asyncio.fixture
async def bob(application: Application) -> Viewer:
    return await register(application.services, "bob@example.com")


@pytest_asyncio.fixture
async def graph(
    application: Application, redis: Redis, owner: Owner, alice: Viewer, clock: Any
) -> AsyncIterator[Graph]:
    stage = Stage(application.services[MarketServices], application.database, owner, clock, alice)
    async with relaying(application.database, redis), hub_of(application.events, redis) as hub:
        yield Graph(build_runtime(application, hub, ProcessRpc(redis)), stage)


def titles(events: list[Any]) -> list[str]:
    return [event["notification"]["title"] for event in events]


async def test_notifications_arrive_in_order(graph: Graph) -> None:
    stage = graph.stage
    task = await graph.watching(NOTIFICATIONS, stage.alice, 3)
    await stage.create(above("100"), rearm=Rearm.EVERY_TIME)
    await stage.create(below("95"))
    await stage.tick("90", "110", "94", "110")
    events = await task
    assert titles(events) == ["BTC rose to 100 USD", "BTC fell to 95 USD", "BTC rose to 100 USD"]
    assert events[0]["notification"] == {
        "title": "BTC rose to 100 USD", "isRead": False, "alert": {"type": "PRICE_ABOVE"}, "token": {"symbol": "BTC"},
    }  # fmt: skip
    assert len({event["cursor"] for event in events}) == 3


async def test_only_alerts_on_prices_are_price_alerts(graph: Graph) -> None:
    stage = graph.stage
    news = await stage.create(NewsImpact(1))
    price = await stage.create(above("100"))
    all_of_it = await graph.watching(NOTIFICATIONS, stage.alice, 2)
    prices = await graph.watching(PRICE_ALERTS, stage.alice, 1)
    firing = Firing(news.id, Decimal(80), "News", "")
    await stage.database.write(SYSTEM, lambda tx: stage.market.dispatcher.fire(tx, [firing]))
    await stage.tick("90", "110.5")
    assert titles(await all_of_it) == ["News", "BTC rose to 100 USD"]
    [event] = await prices
    assert event == {
        "cursor": event["cursor"],
        "priceUsd": "110.500000000000",
        "triggeredAt": "2026-11-21T12:00:02Z",
        "alert": {"triggerCount": 1},
        "notification": {"title": "BTC rose to 100 USD"},
    }
    # Read again after the alert was deleted.
    await stage.market.alerts.delete(stage.alice, price.id)
    start = (await all_of_it)[0]["cursor"]
    [again] = await (await graph.watching(PRICE_ALERTS, stage.alice, 1, after=start))
    assert again == event | {"alert": None}


async def test_a_stream_continues_after_a_cursor_and_after_a_page(graph: Graph, execute: Execute) -> None:
    stage = graph.stage
    for price in ("100", "105", "110"):
        await stage.create(above(price))
    await stage.tick("90", "101")
    page = await execute(HANDOVER, viewer=stage.alice)
    assert page.data is not None, page.errors
    read = page.data["viewer"]["notifications"]
    assert read["nodes"] == [{"title": "BTC rose to 100 USD"}]
    await stage.tick("106", "111")
    missed = await (await graph.watching(NOTIFICATIONS, stage.alice, 2, after=read["streamCursor"]))
    assert titles(missed) == ["BTC rose to 105 USD", "BTC rose to 110 USD"]
    rest = await (await graph.watching(NOTIFICATIONS, stage.alice, 1, after=missed[0]["cursor"]))
    assert rest == missed[1:]


async def test_unread_notifications_are_listed_with_the_stream_s_cursor(graph: Graph, execute: Execute) -> None:
    stage = graph.stage
    for price in ("100", "105"):
        await stage.create(above(price))
    await stage.tick("90", "101")
    await execute(
        'mutation { markNotificationsRead(input: {newestCreatedAt: "2100-01-01T00:00:00Z"}) { __typename } }',
        viewer=stage.alice,
    )
    await stage.tick("101", "106")
    document = HANDOVER.replace("notifications {", "notifications(filter: {unread: true}) {")
    response = await execute(document, viewer=stage.alice)
    assert response.data is not None, response.errors
    page = response.data["viewer"]["notifications"]
    assert page["nodes"] == [{"title": "BTC rose to 105 USD"}]
    assert page["streamCursor"] is not None


async def test_notifications_are_sent_to_their_owner_only(graph: Graph, bob: Viewer) -> None:
    """Two viewers with the same document receive their own, and cannot use each other's cursors."""
    stage = graph.stage
    watched = [(viewer, await graph.watching(NOTIFICATIONS, viewer, 2)) for viewer in (stage.alice, bob)]
    for by, prices in ((stage.alice, ("100", "110")), (bob, ("105", "115"))):
        for price in prices:
            await stage.create(above(price), by=by)
    await stage.tick("90", "102", "107", "112", "117")
    received = {viewer.user_id: await task for viewer, task in watched}
    assert titles(received[stage.alice.user_id]) == ["BTC rose to 100 USD", "BTC rose to 110 USD"]
    assert titles(received[bob.user_id]) == ["BTC rose to 105 USD", "BTC rose to 115 USD"]
    foreign = received[stage.alice.user_id][0]["cursor"]
    assert await (await graph.watching(NOTIFICATIONS, bob, 1, after=foreign)) == ["RESYNC_REQUIRED"]


@pytest.mark.parametrize("document", [NOTIFICATIONS, PRICE_ALERTS])
async def test_notifications_require_a_viewer(graph: Graph, document: str) -> None:
    assert await (await graph.watching(document, None, 1)) == ["UNAUTHENTICATED"]
    prepared = graph.runtime.engine.prepare(document, None, None, introspection_allowed=True)
    assert not isinstance(prepared, list)
    assert prepared.key is not None
    assert prepared.key.audience is Audience.VIEWER


@pytest.mark.parametrize(
    "condition",
    [
        {"priceAbove": {"priceUsd": "1e5"}},
        {"priceAbove": {"priceUsd": 5}},
        {"priceAbove": {"priceUsd": "NaN"}},
        {"priceAbove": {"priceUsd": "1"}, "priceBelow": {"priceUsd": "1"}},
        {},
        {"priceAbove": None},
        {"technicalIndicator": {"indicator": "RSI_15", "interval": "ONE_HOUR", "comparison": "ABOVE", "value": "1"}},
        {"newsImpact": {"minImpact": 2**31}},
    ],
)
async def test_malformed_conditions_are_bad_input(
    execute: Execute, alice: Viewer, owner: Owner, condition: dict[str, Any]
) -> None:
    document = "mutation Create($input: CreateAlertInput!) { createAlert(input: $input) { __typename } }"
    given = {"input": {"symbol": "BTC", "condition": condition, "idempotencyKey": "k"}}
    response = await execute(document, given, viewer=alice)
    assert [error["extensions"]["code"] for error in response.errors] == ["BAD_USER_INPUT"]
    assert await owner.fetchval("SELECT count(*) FROM alerts") == 0


async def test_a_page_of_any_size_takes_the_same_statements(graph: Graph, execute: Execute) -> None:
    stage = graph.stage
    for price in range(100, 130):
        await stage.create(above(str(price)))
    await stage.tick("90", "200")
    document = """query Page($first: Int!) { viewer {
      alerts(first: $first) { nodes { token { symbol } condition { __typename } } }
      notifications(first: $first) { nodes { token { symbol } alert { type token { symbol } } } } } }"""
    counted = [await execute(document, {"first": first}, viewer=stage.alice) for first in (1, 30)]
    assert [response.errors for response in counted] == [[], []]
    assert counted[0].statements == counted[1].statements == 4

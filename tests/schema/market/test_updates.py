"""Changes of news, alerts and watchlists as streams: each once, in order, and private where the list is."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from app.domains.accounts.model import Viewer
from app.domains.market.alerts.model import AlertChanges, NewAlert, PriceAbove, Rearm
from app.domains.market.news.model import ArticleDraft
from app.domains.market.services import MarketServices
from app.domains.market.watchlist.model import WatchlistChanges
from app.engine.declarations.nodes import global_id
from app.kit.db import SYSTEM
from app.kit.errors import NotFound
from app.kit.process_rpc import ProcessRpc
from app.main import Application, build_runtime
from tests.conftest import Execute
from tests.databases import Owner
from tests.domains.market.alerts.stage import Stage
from tests.domains.market.token_listing import list_tokens
from tests.factories import register
from tests.kit.event_pipeline import hub_of, relaying
from tests.schema.notifications.test_notifications import Graph

NEWS = "subscription { news { cursor article { title } } }"
ALERTS = "subscription { alertUpdates { cursor kind alert { id isEnabled triggerCount } deletedId } }"
WATCHLIST = "subscription { watchlistUpdates { cursor kind item { id notes position token { symbol } } deletedId } }"


@pytest_asyncio.fixture
async def alice(application: Application, owner: Owner) -> Viewer:
    await list_tokens(owner)
    return await register(application.services)


@pytest_asyncio.fixture
async def bob(application: Application, alice: Viewer) -> Viewer:
    return await register(application.services, "bob@example.com")


@pytest_asyncio.fixture
async def graph(
    application: Application, redis: Redis, owner: Owner, alice: Viewer, clock: Any
) -> AsyncIterator[Graph]:
    stage = Stage(application.services[MarketServices], application.database, owner, clock, alice)
    async with relaying(application.database, redis), hub_of(application.events, redis) as hub:
        yield Graph(build_runtime(application, hub, ProcessRpc(redis)), stage)


def article(title: str, now: datetime, hours_ago: int = 0) -> ArticleDraft:
    published_at = now - timedelta(hours=hours_ago)
    return ArticleDraft(url=f"https://news.example/{title}", title=title, source="Example", published_at=published_at)


async def facts(owner: Owner, stream: str) -> list[str]:
    rows = await owner.fetch("SELECT kind FROM events WHERE stream = $1 ORDER BY seq", stream)
    return [row["kind"] for row in rows]


async def test_each_article_is_announced_once_the_oldest_of_a_batch_first(
    graph: Graph, owner: Owner, execute: Execute
) -> None:
    market, now = graph.stage.market, graph.stage.clock.now()
    await market.news.publish([article("known", now, 9)])
    page = await execute("{ news { streamCursor nodes { title } } }")
    assert page.data is not None
    start = page.data["news"]["streamCursor"]
    live = await graph.watching(NEWS, None, 4)
    await market.news.publish([article("second", now, 1), article("known", now, 9), article("first", now, 2)])
    await market.news.publish([article("known", now, 9)])
    await market.news.publish([article("third", now, 3), article("fourth", now)])
    events = await live
    assert [event["article"]["title"] for event in events] == ["first", "second", "third", "fourth"]
    assert await (await graph.watching(NEWS, graph.stage.alice, 4, after=start)) == events
    assert len(await facts(owner, "news")) == 5
    # Deleted since: the event is delivered all the same.
    await owner.execute("DELETE FROM news_articles WHERE title = 'first'")
    [again] = await (await graph.watching("subscription { news { article { summary } } }", None, 1, after=start))
    assert again == {"article": None}


async def test_articles_that_are_not_stored_are_not_announced(graph: Graph, owner: Owner) -> None:
    news, now = graph.stage.market.news, graph.stage.clock.now()
    prepared = await news.prepare([article("lost", now)])

    async def fail(tx: Any) -> None:
        await news.store(tx, prepared)
        raise LookupError

    with pytest.raises(LookupError):
        await graph.stage.database.write(SYSTEM, fail)
    assert await facts(owner, "news") == []


async def test_alerts_are_followed_from_their_creation_to_their_deletion(
    graph: Graph, owner: Owner, execute: Execute
) -> None:
    stage, alerts = graph.stage, graph.stage.market.alerts
    page = await execute("{ viewer { alerts { streamCursor nodes { id } } } }", viewer=stage.alice)
    assert page.data is not None
    start = page.data["viewer"]["alerts"]["streamCursor"]
    new = NewAlert(symbol="BTC", condition=PriceAbove(Decimal(100)), rearm=Rearm.EVERY_TIME)
    alert = await alerts.create(stage.alice, new, "key")
    assert await alerts.create(stage.alice, new, "key") == alert
    await stage.tick("90", "110")
    await alerts.update(stage.alice, alert.id, AlertChanges(enabled=False))
    shown = {"id": global_id("Alert", alert.id), "isEnabled": False, "triggerCount": 1}
    events = await (await graph.watching(ALERTS, stage.alice, 3, after=start))
    assert [event["kind"] for event in events] == ["CREATED", "FIRED", "CHANGED"]
    assert [(event["alert"], event["deletedId"]) for event in events] == [(shown, None)] * 3
    live = await graph.watching(ALERTS, stage.alice, 1)
    await alerts.delete(stage.alice, alert.id)
    [deleted] = await live
    assert deleted | {"cursor": ""} == {
        "cursor": "", "kind": "DELETED", "alert": None, "deletedId": global_id("Alert", alert.id),
    }  # fmt: skip
    with pytest.raises(NotFound):
        await alerts.delete(stage.alice, alert.id)
    assert len(await facts(owner, f"alerts:{stage.alice.user_id}")) == 4


async def test_alerts_that_expire_are_deleted_as_those_that_the_viewer_deletes(
    graph: Graph, owner: Owner, bob: Viewer
) -> None:
    stage, alerts = graph.stage, graph.stage.market.alerts
    soon = stage.clock.now() + timedelta(minutes=1)
    ids = []
    for viewer in (stage.alice, bob):
        new = NewAlert(symbol="BTC", condition=PriceAbove(Decimal(100)), rearm=Rearm.ONCE, expires_at=soon)
        ids.append((await alerts.create(viewer, new, "key")).id)
    watched = [await graph.watching(ALERTS, viewer, 1) for viewer in (stage.alice, bob)]
    stage.clock.advance(timedelta(minutes=2))
    assert await alerts.delete_expired() == "2 deleted"
    assert [(await task)[0]["deletedId"] for task in watched] == [global_id("Alert", id) for id in ids]


async def test_the_watchlist_is_followed_from_the_first_item_to_its_removal(
    graph: Graph, owner: Owner, execute: Execute
) -> None:
    alice, watchlist = graph.stage.alice, graph.stage.market.watchlist
    page = await execute("{ viewer { watchlist { streamCursor nodes { id } } } }", viewer=alice)
    assert page.data is not None
    start = page.data["viewer"]["watchlist"]["streamCursor"]
    first = await watchlist.add(alice, "BTC", None, "1")
    assert await watchlist.add(alice, "BTC", None, "1") == first
    await watchlist.add(alice, "ETH", None, "2")
    await watchlist.update(alice, first.id, WatchlistChanges(notes="Mine"))
    await watchlist.update(alice, first.id, WatchlistChanges(position=1))
    await watchlist.update(alice, first.id, WatchlistChanges(position=0, notes=None))
    await watchlist.update(alice, first.id, WatchlistChanges(viewed=True))
    # Where it is already: nothing changes, and no event is appended.
    await watchlist.update(alice, first.id, WatchlistChanges(position=0))
    events = await (await graph.watching(WATCHLIST, alice, 7, after=start))
    kinds = ["ADDED", "ADDED", "CHANGED", "MOVED", "CHANGED", "MOVED", "CHANGED"]
    assert [event["kind"] for event in events] == kinds
    assert [event["item"]["token"]["symbol"] for event in events] == ["BTC", "ETH", *["BTC"] * 5]
    assert {event["item"]["position"] for event in events if event["item"]["id"] == events[0]["item"]["id"]} == {0}
    live = await graph.watching(WATCHLIST, alice, 1)
    await watchlist.remove(alice, first.id)
    [removed] = await live
    assert (removed["kind"], removed["item"]) == ("REMOVED", None)
    assert removed["deletedId"] == events[0]["item"]["id"] == global_id("WatchlistItem", first.id)
    assert len(await facts(owner, f"watchlist:{alice.user_id}")) == 8


@pytest.mark.parametrize("document", [ALERTS, WATCHLIST])
async def test_what_is_private_is_refused_to_nobody_and_shown_to_its_owner_only(
    graph: Graph, bob: Viewer, document: str
) -> None:
    stage = graph.stage
    assert await (await graph.watching(document, None, 1)) == ["UNAUTHENTICATED"]
    watched = [(viewer, await graph.watching(document, viewer, 1)) for viewer in (stage.alice, bob)]
    for viewer in (stage.alice, bob):
        await stage.market.watchlist.add(viewer, "BTC", None, "1")
        new = NewAlert(symbol="BTC", condition=PriceAbove(Decimal(100)), rearm=Rearm.ONCE)
        await stage.market.alerts.create(viewer, new, "2")
    events = {viewer.user_id: (await task)[0] for viewer, task in watched}
    assert len({event["cursor"] for event in events.values()}) == 2
    foreign = events[bob.user_id]["cursor"]
    assert await (await graph.watching(document, stage.alice, 1, after=foreign)) == ["RESYNC_REQUIRED"]

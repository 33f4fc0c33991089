"""What is recorded of users: tracked events, the product's own actions, and nothing of who opted out."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.domains.accounts.model import ProfileChanges, Viewer
from app.domains.accounts.services import AccountsServices
from app.domains.market.services import MarketServices
from app.domains.trading.analytics import loaders
from app.domains.trading.analytics.model import AnalyticsEvent, NewEvent
from app.domains.trading.analytics.services import Analytics
from app.domains.trading.exchange.model import OrderType
from app.domains.trading.orders.model import NewBracket, NewOrder
from app.domains.trading.quantities.model import Side
from app.kit.db import SYSTEM, Tx
from app.kit.errors import IdempotencyKeyReused, InvalidInput, RateLimited
from app.kit.lists import page_request
from app.kit.reads import Reads
from tests.domains.trading.matching.market import begin
from tests.domains.trading.stage import Stage
from tests.factories import CLIENT, PASSWORD
from tests.statements import statement
from tests.waiting import until

OPTED_OUT = ProfileChanges(analytics_enabled=False)
BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def events(stage: Stage, of: Viewer, by: Viewer | None = None, **filters: Any) -> list[AnalyticsEvent]:
    """Events of a user, newest first, as `by` reads them."""
    reads = Reads(stage.database, (by or of).scope)
    try:
        request = page_request(loaders.analytics_events_by_user, 100, filters=filters)
        return (await reads.page(loaders.analytics_events_by_user, of.user_id, request)).records
    finally:
        await reads.aclose()


async def types(stage: Stage, of: Viewer) -> list[str]:
    return [each.event_type for each in await events(stage, of)]


async def track(stage: Stage, by: Viewer | None = None, key: str | None = None, **event: Any) -> bool:
    new = NewEvent(**({"type": "page.opened"} | event))
    return await stage.trading.analytics.track(by or stage.alice, new, key or stage.key)


async def opt(stage: Stage, viewer: Viewer, *, in_: bool) -> None:
    changes = ProfileChanges(analytics_enabled=in_)
    await stage.services[AccountsServices].profiles.update(viewer, changes)


async def test_a_tracked_event_says_what_when_and_from_where(stage: Stage) -> None:
    data = {"path": "/tokens/btc", "depth": {"a": [1, None, 1e308]}}
    assert await track(stage, data=data, client_session="visit:1") is True
    [event] = await events(stage, stage.alice, type="page.opened")
    assert (event.source, event.session_id, event.given_data) == ("client", "visit:1", data)
    assert (event.ip_address, event.user_agent) == (CLIENT.ip, CLIENT.user_agent)
    assert abs(event.created_at - await stage.owner.fetchval("SELECT now()")) < timedelta(minutes=5)


async def test_the_products_own_actions_are_recorded_where_they_happen(stage: Stage) -> None:
    accounts, alice = stage.services[AccountsServices], stage.alice
    _, id = await stage.create(), await stage.create()
    await stage.trading.portfolios.reset(alice, id, stage.key)
    await stage.trading.portfolios.delete(alice, id)
    await stage.services[MarketServices].watchlist.add(alice, "BTC", "private", "key")
    await accounts.sessions.login("alice@example.com", PASSWORD, CLIENT)
    await accounts.sessions.logout(alice)
    found = await events(stage, alice)
    assert [each.event_type for each in reversed(found)] == [
        "user.registered",
        "user.logged_in",
        "portfolio.created",
        "portfolio.created",
        "portfolio.reset",
        "portfolio.deleted",
        "watchlist.added",
        "user.logged_in",
        "user.logged_out",
    ]
    about = {"mode": "paper", "currency": "USD"}
    by_type = {each.event_type: each for each in found}
    assert {str(by_type[f"portfolio.{what}"].event_data) for what in ("created", "reset", "deleted")} == {str(about)}
    assert by_type["watchlist.added"].event_data == {"symbol": "BTC"}
    assert by_type["user.logged_in"].event_data == {}
    assert {(each.source, each.ip_address, each.user_agent) for each in found} == {
        ("server", CLIENT.ip, CLIENT.user_agent)
    }
    assert await types(stage, stage.bob) == ["user.logged_in", "user.registered"]


async def test_orders_are_recorded_once_with_their_seal(stage: Stage) -> None:
    market, id, owner = await begin(stage), await stage.create(), stage.owner
    orders, seals = stage.trading.orders, stage.trading.seals
    buy = NewOrder(symbol="BTC", side=Side.BUY, type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(90))
    exits = {"take_profit_price": Decimal(120), "stop_loss_stop_price": Decimal(80)}
    cancelled = await orders.place(stage.alice, id, buy, stage.key)
    await orders.place_bracket(stage.alice, id, NewBracket(entry=buy, **exits), stage.key)
    bobs = await stage.create(stage.bob)
    await orders.place(stage.bob, bobs, buy, stage.key)
    await opt(stage, stage.bob, in_=False)
    await market.match()
    await orders.cancel(stage.alice, cancelled)
    await market.match()
    # Not by its user: with its token.
    await owner.execute("UPDATE tokens SET is_active = false WHERE symbol = 'BTC'")
    await stage.trading.maintenance.follow_listings()
    await market.match()
    placed_at = [row["created_at"] for row in await owner.fetch("SELECT created_at FROM order_changes ORDER BY id")]
    for _ in range(4):
        await seals.seal()
    found = [each for each in reversed(await events(stage, stage.alice)) if each.event_type.startswith("order.")]
    assert [each.event_type for each in found] == ["order.placed", "order.placed", "order.cancelled"]
    assert found[0].event_data == {"symbol": "BTC", "side": "buy", "type": "limit"}
    assert (found[0].source, found[0].created_at) == ("server", placed_at[0])
    assert await types(stage, stage.bob) == []


async def test_what_fails_is_no_action(stage: Stage) -> None:
    before = await types(stage, stage.alice)
    with pytest.raises(Exception, match="wrong"):
        await stage.services[AccountsServices].sessions.login("alice@example.com", "wrong", CLIENT)

    async def undone(tx: Tx) -> None:
        await tx.execute(statement("made", "", f"INSERT INTO portfolios (user_id) VALUES ('{stage.alice.user_id}')"))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await stage.database.write(SYSTEM, undone)
    assert await types(stage, stage.alice) == before


async def test_a_user_who_opts_out_is_forgotten_and_recorded_no_more(stage: Stage) -> None:
    await track(stage)
    await track(stage, stage.bob)
    await opt(stage, stage.alice, in_=False)
    assert await events(stage, stage.alice) == []
    assert await track(stage) is False
    await stage.create()
    await stage.services[AccountsServices].sessions.login("alice@example.com", PASSWORD, CLIENT)
    assert await events(stage, stage.alice) == []
    assert len(await events(stage, stage.bob)) == 3

    await opt(stage, stage.alice, in_=True)
    assert await events(stage, stage.alice) == [], "nothing comes back"
    assert await track(stage) is True
    assert await types(stage, stage.alice) == ["page.opened"]


async def test_other_changes_of_the_profile_keep_the_choice_and_the_events(stage: Stage) -> None:
    profiles = stage.services[AccountsServices].profiles
    await track(stage)
    await profiles.update(stage.alice, ProfileChanges(username="alice", analytics_enabled=True))
    assert "page.opened" in await types(stage, stage.alice)
    await opt(stage, stage.alice, in_=False)
    await profiles.update(stage.alice, ProfileChanges(username="alicia"))
    assert await track(stage) is False


@pytest.mark.parametrize("first", ["event", "choice"])
async def test_an_event_at_the_moment_of_opting_out_does_not_stay(stage: Stage, first: str) -> None:
    """Whichever comes first holds the other up until it commits, and nothing is left in either order."""
    user = stage.alice.user_id
    held, go = asyncio.Event(), asyncio.Event()
    sql = {
        "event": f"SELECT record_analytics('{user}', 'x', '{{}}', NULL, 'client', NULL, NULL)",
        "choice": f"UPDATE profiles SET analytics_enabled = false WHERE user_id = '{user}'",
    }[first]

    async def hold(tx: Tx) -> None:
        await tx.execute(statement("held", "", sql))
        held.set()
        await go.wait()

    other = opt(stage, stage.alice, in_=False) if first == "event" else track(stage)
    holding = asyncio.create_task(stage.database.write(SYSTEM, hold))
    await held.wait()
    waiting = asyncio.ensure_future(other)

    async def has_met_it() -> bool:
        return waiting.done() or bool(await stage.owner.fetchval(BLOCKED))

    await until(has_met_it)
    go.set()
    await holding
    assert await waiting is (None if first == "event" else False)
    assert await stage.owner.fetchval("SELECT count(*) FROM user_analytics WHERE user_id = $1", user) == 0


async def test_a_key_is_answered_as_the_first_time(stage: Stage) -> None:
    assert await track(stage, key="key") is True
    assert await track(stage, key="key") is True
    assert await types(stage, stage.alice) == ["page.opened", "user.logged_in", "user.registered"]
    await opt(stage, stage.alice, in_=False)
    assert await track(stage, key="key") is True, "it was"
    assert await events(stage, stage.alice) == []
    for changed in ({"type": "x"}, {"data": {"a": 1}}, {"client_session": "v"}, {"data": {"a": "\x00"}}):
        with pytest.raises(IdempotencyKeyReused):
            await track(stage, key="key", **changed)


async def test_bad_input_is_named_and_nothing_is_recorded(stage: Stage) -> None:
    before = await types(stage, stage.alice)
    for data in ({"a": "\ud800"}, {"a": 10**5000}, {"a": float("nan")}):
        with pytest.raises(InvalidInput) as refused:
            await track(stage, type="?", data=data)
        assert {fault.path for fault in refused.value.fields} == {("type",), ("data",)}
    assert await types(stage, stage.alice) == before


async def test_data_come_back_as_they_were_given(stage: Stage) -> None:
    data = {"a": 2**53 - 1, "b": [-0.5, 1e308, None, True], "é\t": "\U0001f600", "": {}}
    await track(stage, data=data)
    [found] = await events(stage, stage.alice, type="page.opened")
    assert found.given_data == data


async def test_a_user_tracks_so_many_events_an_hour(stage: Stage) -> None:
    analytics = Analytics(stage.database, stage.clock, limit=3)

    async def one(by: Viewer, key: str) -> bool:
        return await analytics.track(by, NewEvent(type="x"), key)

    for number in range(3):
        assert await one(stage.alice, f"{number}")
    with pytest.raises(RateLimited) as refused:
        await one(stage.alice, "3")
    assert 3590 <= refused.value.retry_after_s <= 3600
    assert await one(stage.alice, "2"), "a replay"
    assert await one(stage.bob, "3")
    await stage.create()
    assert "portfolio.created" in await types(stage, stage.alice), "what the product does is no client's"
    await stage.owner.execute("SELECT make_partitions('user_analytics', now() - interval '1 day', now())")
    oldest = "SELECT min(created_at) FROM user_analytics WHERE source = 'client'"
    await stage.owner.execute(
        f"UPDATE user_analytics SET created_at = created_at - interval '3601 s' WHERE created_at = ({oldest})"
    )
    assert await one(stage.alice, "4")
    with pytest.raises(RateLimited):
        await one(stage.alice, "5")


async def test_where_events_came_from_is_forgotten_after_90_days(stage: Stage) -> None:
    await track(stage)
    before = await events(stage, stage.alice)
    assert await stage.trading.analytics.empty_origins() == "0 events"
    stage.clock.advance(timedelta(days=89))
    created = max(each.created_at for each in before)
    stage.clock.advance(created + timedelta(days=90) - stage.clock.now() - timedelta(minutes=30))
    assert await stage.trading.analytics.empty_origins() == "0 events"
    assert await events(stage, stage.alice) == before
    stage.clock.advance(timedelta(hours=1))
    assert await stage.trading.analytics.empty_origins() == "5 events"
    after = await events(stage, stage.alice)
    assert [(each.id, each.event_data, each.ip_address, each.user_agent) for each in after] == [
        (each.id, each.event_data, None, None) for each in before
    ]
    assert await stage.trading.analytics.empty_origins() == "0 events"


async def test_days_are_counted_by_type_and_again_until_they_end(stage: Stage) -> None:
    today = await stage.owner.fetchval("SELECT date_trunc('day', now(), 'UTC')")
    yesterday = today - timedelta(days=1)
    await stage.owner.execute("SELECT make_partitions('user_analytics', $1, $2)", yesterday, today)

    async def counted() -> list[tuple[Any, ...]]:
        # At noon, whatever the time is: no event of this test may meet midnight.
        noon = "UPDATE user_analytics SET created_at = $1 WHERE created_at >= $2"
        await stage.owner.execute(noon, today + timedelta(hours=12), today)
        await stage.trading.analytics.count()
        rows = await stage.owner.fetch("SELECT * FROM analytics_counts ORDER BY day DESC, event_type")
        return [tuple(row)[1:] for row in rows]

    for by, type in ((stage.alice, "x"), (stage.alice, "x"), (stage.bob, "x"), (stage.bob, "y")):
        await track(stage, by, type=type)
    await stage.owner.execute(
        "UPDATE user_analytics SET created_at = $2 WHERE event_type = 'x' AND user_id = $1",
        stage.bob.user_id,
        today - timedelta(microseconds=1),
    )
    before = (yesterday, "x", "client", 1, 1)
    assert await counted() == [
        (today, "user.logged_in", "server", 2, 2),
        (today, "user.registered", "server", 2, 2),
        (today, "x", "client", 2, 1),
        (today, "y", "client", 1, 1),
        before,
    ]
    await track(stage, stage.bob, type="x")
    assert (today, "x", "client", 3, 2) in await counted()
    await opt(stage, stage.bob, in_=False)
    assert before in await counted(), "a day that is over names nobody, and stays"


async def test_a_user_who_is_deleted_takes_everything_along(stage: Stage) -> None:
    await stage.create()
    await track(stage)
    await stage.owner.execute("DELETE FROM wallets WHERE user_id = $1", stage.alice.user_id)
    await stage.owner.execute("DELETE FROM users WHERE id = $1", stage.alice.user_id)
    left = await stage.owner.fetch("SELECT DISTINCT user_id FROM user_analytics")
    assert [row[0] for row in left] == [stage.bob.user_id]


async def test_a_deleted_user_whose_profile_is_still_there_is_not_recorded(stage: Stage) -> None:
    """The order in which Postgres deletes what a user has is not ours."""
    await stage.owner.execute("SET session_replication_role = replica")
    await stage.owner.execute("DELETE FROM users WHERE id = $1", stage.alice.user_id)
    await stage.owner.execute("RESET session_replication_role")
    sql = "SELECT record_analytics($1, 'x', '{}', NULL, 'server', NULL, NULL)"
    assert await stage.owner.fetchval(sql, stage.alice.user_id) is None
    assert await stage.owner.fetchval(sql, stage.bob.user_id) is not None


async def test_an_action_of_nobody_and_of_a_user_without_a_profile_is_not_recorded(stage: Stage) -> None:
    before = await stage.owner.fetchval("SELECT count(*) FROM user_analytics")
    await stage.owner.execute("INSERT INTO auth_logs (user_id, event_type) VALUES (NULL, 'login')")
    await stage.owner.execute("DELETE FROM profiles WHERE user_id = $1", stage.alice.user_id)
    await stage.create()
    assert await stage.owner.fetchval("SELECT count(*) FROM user_analytics") == before


async def test_months_are_dropped_after_two_years(stage: Stage) -> None:
    kept = await stage.owner.fetchval("SELECT retention FROM partitioned_tables WHERE table_name = 'user_analytics'")
    assert kept == timedelta(days=730)

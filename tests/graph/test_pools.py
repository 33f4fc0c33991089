"""With a pool of any size and any concurrent requests, no request holds a connection while it waits for another."""

import asyncio
from collections.abc import Awaitable
from decimal import Decimal

import msgspec
import pytest

from app.domains.accounts.model import Viewer
from app.domains.market.prices.model import TickQuote
from app.domains.market.services import MarketServices
from app.engine.declarations.subscriptions import Volatile
from app.engine.execution.operations import Response
from app.kit.db import Database
from app.kit.hub import Hub
from app.kit.process_rpc import ProcessRpc
from app.kit.pubsub import broadcast_over
from app.kit.volatile import Latest
from app.main import Application, build_runtime
from app.transport.runtime import AppRuntime, Caller
from tests.conftest import Execute
from tests.factories import CLIENT, PASSWORD
from tests.graph.stage import Stage

WATCHLIST = "{ viewer { user { email } watchlist { nodes { notes token { symbol priceUsd } } } } }"
# An analysis is made by others, with connections of their own.
ANALYSED = "{ viewer { watchlist { nodes { token { symbol analysis { marketData { status } } } } } } chain { height } }"
PUBLIC_FIELDS = "{ chain { height } tokens(first: 5) { nodes { symbol news(first: 2) { nodes { title } } } } }"
# A caller who logs in is anonymous before.
LOGIN = """mutation ($input: LoginInput!) { login(input: $input) { ... on LoginPayload {
  accessToken viewer { watchlist { nodes { token { symbol analysis { marketData { status } } } } } } } } }"""
NOTE = """
mutation ($first: AddToWatchlistInput!, $second: AddToWatchlistInput!) {
  one: addToWatchlist(input: $first) { ...Added }
  two: addToWatchlist(input: $second) { ...Added }
}
fragment Added on AddToWatchlistResult {
  ... on AddToWatchlistPayload { item { token { symbol priceUsd analysis { marketData { status } } } } }
}
"""
TICKS = "subscription { watchlistTicks { ticks { symbol token { priceUsd name } } } }"


async def never(*_: object) -> None:
    raise AssertionError("this is read beside the snapshot")


@pytest.mark.parametrize("query", [WATCHLIST, ANALYSED.replace("analysis { marketData { status } }", "name"), NOTE])
@pytest.mark.parametrize("pool_size", [16], indirect=True)
async def test_a_viewer_who_reads_their_own_data_reads_everything_in_the_snapshot(
    query: str, stage: Stage, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = stage.world.viewers["alice"]
    note = query.replace(" analysis { marketData { status } }", "")
    for method in ("fetch", "fetch_one"):
        monkeypatch.setattr(Database, method, never)
    added = {name: {"symbol": name, "idempotencyKey": name} for name in ("ADA", "DOT")}
    response = await execute(note, {"first": added["ADA"], "second": added["DOT"]} if query is NOTE else None, viewer)
    assert response.errors == []


@pytest.fixture(params=[1, 2, 16])
def pool_size(request: pytest.FixtureRequest) -> int:
    """Connections of the application's pool."""
    size: int = request.param
    return size


@pytest.fixture
def runtime(application: Application) -> AppRuntime:
    """What the transports are handed."""
    hub = Hub(broadcast_over(application.redis), application.events, memory_limit=100)
    return build_runtime(application, hub, ProcessRpc(application.redis))


async def test_ten_times_as_much_of_everything_as_there_are_connections(
    stage: Stage, runtime: AppRuntime, execute: Execute, pool_size: int, application: Application
) -> None:
    viewers = [stage.world.viewers[name] for name in ("alice", "bob", "carol", "admin")]
    for viewer in viewers:
        for symbol in ("BTC", "ETH", "SOL"):
            await application.services[MarketServices].watchlist.add(viewer, symbol, None, f"{symbol}")
    times = 10 * pool_size
    work: list[Awaitable[Response]] = []
    for number in range(times):
        viewer = viewers[number % len(viewers)]
        named = {"email": "alice@example.com", "password": PASSWORD}
        added = [{"symbol": symbol, "idempotencyKey": f"{symbol}{number}"} for symbol in ("ADA", "DOT")]
        work += [
            execute(WATCHLIST, viewer=viewer),
            execute(ANALYSED, viewer=viewer),
            execute(PUBLIC_FIELDS),
            execute(NOTE, {"first": added[0], "second": added[1]}, viewer),
            event(runtime, stage, viewer),
        ]
        if number < 5:
            work.append(execute(LOGIN, {"input": named}))

    responses = await asyncio.gather(*work)

    assert [response.errors for response in responses if response.errors] == []
    admission = application.database.admission
    assert (admission.waiting, admission.refused, admission.starved) == (0, 0, False)
    idle = application.database.pool.get_idle_size()
    assert idle == application.database.pool.get_size() <= pool_size


async def event(runtime: AppRuntime, stage: Stage, viewer: Viewer) -> Response:
    """A subscription is opened, and an event of it answered."""
    prepared = runtime.engine.prepare(TICKS, None, None, introspection_allowed=True)
    assert not isinstance(prepared, list)
    assert prepared.key is not None
    assert isinstance(prepared.key.declared, Volatile)
    caller = Caller(viewer=viewer, client=CLIENT, request_id="test", from_browser=False)
    await runtime.engine.open_stream(prepared, runtime.new_context(caller))
    at = stage.world.now
    quotes = {symbol: TickQuote(symbol, Decimal(1), Decimal(2), None, None, at) for symbol in ("BTC", "ETH")}
    tick = msgspec.to_builtins({"at": at, "source": "simulated", "quotes": quotes})
    payload = prepared.key.declared.payload(Latest("all", tick), None)
    return await runtime.engine.answer_event(prepared, runtime.new_context(caller), payload)

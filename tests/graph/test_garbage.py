"""A load, a request and an event are freed by reference count alone.

The collector stops the world and is set to run rarely: what waits for it piles up, by gigabytes under load.
"""

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from app.domains.ledger import loaders
from app.engine.execution.operations import Response
from app.kit.db import PUBLIC, Database
from app.kit.hub import Hub
from app.kit.process_rpc import ProcessRpc
from app.kit.pubsub import broadcast_over
from app.kit.reads import Reads
from app.main import Application, build_runtime
from app.schema.market.prices.ticks import PriceTicks
from app.schema.market.sources import PriceSource
from app.transport.runtime import Caller
from tests.conftest import Execute
from tests.factories import CLIENT
from tests.graph.stage import Stage

TIMES = 10_000
BATCH = 500
CACHED_BLOCKS = 5_000

QUERIES = {
    "columns": "{ chain { height } }",
    "levels": "{ viewer { user { email } wallet { balance transactions(first: 3) { nodes { hash } } } }"
    " blocks(first: 3) { totalCount { value } nodes { height miner { owner { displayName } } } } }",
    "left to graphql-core": '{ node(id: "V2FsbGV0OjE") { id } blocks(first: 2) { nodes { height } } }',
    "a failing field": "{ block(by: {height: -1}) { height } blocks(first: 1000) { nodes { height } } }",
    "an analysis": '{ viewer { user { email } } analysis(symbol: "BTC") { marketData { status } } }',
    "a mutation": 'mutation { removeBeneficiary(input: {id: "QmVuZWZpY2lhcnk6MQ"}) { __typename } }',
}


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def assert_freed(work: Callable[[], Awaitable[object]], times: int) -> None:
    """Nothing is left for the collector, and nothing grows."""
    for _ in range(20):
        await work()
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(times):
        await work()
        # The loop forgets time-outs that were cancelled when it has a turn.
        await asyncio.sleep(0)
    grown = sys.getallocatedblocks() - before
    assert gc.collect() < times // 50
    # What is cached once is no leak.
    assert grown < CACHED_BLOCKS


@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.usefixtures("no_collector")
async def test_a_request_is_freed(name: str, stage: Stage, execute: Execute) -> None:
    viewer = stage.world.viewers["alice"]
    await assert_freed(lambda: execute(QUERIES[name], viewer=viewer), 300)


REFUSED: dict[str, tuple[str, dict[str, Any] | None]] = {
    "syntax": ("{ chain { height ", None),
    "syntax after a comment": ("{ chain { height } } # here \n }", None),
    "unknown field": ("{ chain { heigth } }", None),
    "unknown fields": (f"{{ {' '.join(f'unknown{number}' for number in range(100))} }}", None),
    "too many tokens": ("{ " + "chain { height } " * 5000 + "}", None),
    "too deep": ("{" + "a{" * 3000, None),
    "too many aliases": (f"{{ {' '.join(f'a{number}: chain {{ height }}' for number in range(1000))} }}", None),
    "too dear": (
        "{ blocks(first: 100) { nodes { transactions(first: 100) { nodes { sender { owner { id } } } } } } }",
        None,
    ),
    "wrong type": ("query($first: Int!) { blocks(first: $first) { nodes { hash } } }", {"first": ["x" * 20] * 2000}),
    "wrong items": ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": [{}] * 2000}),
    "wrong enum": ("query($by: TokenOrderBy) { tokens(orderBy: $by) { nodes { symbol } } }", {"by": "x" * 100_000}),
    "missing": ("query($first: Int!) { blocks(first: $first) { nodes { hash } } }", {}),
    "too many values": ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["x"] * 20_000}),
    "unusable text": ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["\0"]}),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.usefixtures("no_collector")
async def test_a_refused_request_is_freed(name: str, stage: Stage, application: Application) -> None:
    hub = Hub(broadcast_over(application.redis), application.events, memory_limit=100)
    engine = build_runtime(application, hub, ProcessRpc(application.redis)).engine
    query, variables = REFUSED[name]

    async def refuse() -> None:
        refused = engine.prepare(query, None, variables, introspection_allowed=True)
        assert isinstance(refused, list)
        body = Response.refused(refused, "request-1").body()
        assert len(str(body)) < 50_000

    await assert_freed(refuse, 200)


@pytest.mark.usefixtures("no_collector")
async def test_ten_thousand_requests_are_freed(execute: Execute) -> None:
    await assert_freed(lambda: execute(QUERIES["columns"]), TIMES)


@pytest.mark.usefixtures("no_collector")
async def test_ten_thousand_loads_are_freed(database: Database) -> None:
    heights = range(BATCH)

    async def load() -> None:
        reads = Reads(database, PUBLIC)
        for found in [reads.one(loaders.block_by_height, height) for height in heights]:
            await found
        await reads.aclose()

    await assert_freed(load, TIMES // BATCH * 3)


@pytest.mark.usefixtures("no_collector")
async def test_ten_thousand_events_are_freed(stage: Stage, application: Application) -> None:
    hub = Hub(broadcast_over(application.redis), application.events, memory_limit=100)
    runtime = build_runtime(application, hub, ProcessRpc(application.redis))
    prepared = runtime.engine.prepare(
        "subscription { priceTicks { at ticks { symbol priceUsd } } }", None, None, introspection_allowed=True
    )
    assert not isinstance(prepared, list)
    caller = Caller(viewer=None, client=CLIENT, request_id="test", from_browser=False)
    payload: Any = PriceTicks(at=stage.world.now, source=PriceSource.SIMULATED, ticks=[])

    async def answer() -> None:
        response = await runtime.engine.answer_event(prepared, runtime.new_context(caller), payload)
        assert not response.errors

    await assert_freed(answer, TIMES)

"""What can be watched: in order, of the right kind, by the right people."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest
from redis.asyncio import Redis

from app.domains.ledger.services.miner import MINING_TOPIC
from app.engine.streams.iterator import Failed
from app.engine.streams.model import Delivery
from app.kit.loaders import Audience
from app.kit.volatile import VolatileTopics
from tests.databases import Owner
from tests.domains.ledger.scene import Person, Scene
from tests.schema.ledger.graph import Graph
from tests.waiting import until


async def watching(
    graph: Graph, stream: AsyncGenerator[Delivery | Failed, None], count: int
) -> "asyncio.Task[list[Any]]":
    """A task that takes `count` events, once it listens."""
    subscribed = len(graph.subscriptions)

    async def take() -> list[Any]:
        taken: list[Any] = []
        async with aclosing(stream):
            while len(taken) < count:
                delivery = await anext(stream)
                assert isinstance(delivery, Delivery), delivery
                response = json.loads(delivery.body)
                assert "errors" not in response
                taken.append(response["data"])
        return taken

    task = asyncio.create_task(take())
    # What is volatile is published at once: the task may be done before anybody has looked.
    await until(lambda: len(graph.subscriptions) > subscribed or task.done())
    return task


async def test_blocks_arrive_in_order_for_anybody(graph: Graph, scene: Scene) -> None:
    alice = await scene.person()
    await scene.mine(alice)
    query = "subscription { blocks { cursor block { height miner { walletId } } } }"
    task = await watching(graph, graph.subscribe(query), 3)
    await scene.mine(alice, 3)
    taken = [event["blocks"] for event in await task]
    assert [event["block"] for event in taken] == [
        {"height": height, "miner": {"walletId": alice.wallet_id}} for height in (1, 2, 3)
    ]
    assert len({event["cursor"] for event in taken}) == 3


async def test_a_payment_is_followed_from_pending_to_confirmed(graph: Graph, scene: Scene) -> None:
    alice, bob, miner = await scene.person(), await scene.person(), await scene.person()
    await scene.mine(alice)
    query = "subscription { transactionUpdates { transaction { hash } } }"
    task = await watching(graph, graph.subscribe(query, by=bob), 2)
    other = await scene.pay(alice, miner, "5")
    hash_ = await scene.pay(alice, bob, "1")
    await scene.mine(miner)
    assert other != hash_
    assert [event["transactionUpdates"]["transaction"] for event in await task] == [{"hash": hash_}, {"hash": hash_}]


async def test_the_balance_is_published_when_it_changes(graph: Graph, scene: Scene) -> None:
    alice, bob, miner = await scene.person(), await scene.person(), await scene.person()
    await scene.mine(alice)
    query = "subscription { walletBalanceUpdates { balance wallet { walletId pending { incoming } } } }"
    task = await watching(graph, graph.subscribe(query, by=bob), 1)
    await scene.pay(alice, bob, "1")
    assert [event["walletBalanceUpdates"] for event in await task] == [
        {"balance": "0.00000000", "wallet": {"walletId": bob.wallet_id, "pending": {"incoming": "1.00000000"}}}
    ]
    task = await watching(graph, graph.subscribe(query, by=bob), 1)
    await scene.mine(miner)
    assert [event["walletBalanceUpdates"] for event in await task] == [
        {"balance": "1.00000000", "wallet": {"walletId": bob.wallet_id, "pending": {"incoming": "0.00000000"}}}
    ]


async def test_a_payer_is_notified_when_their_payment_is_confirmed(graph: Graph, scene: Scene) -> None:
    alice, bob, miner = await scene.person(), await scene.person(), await scene.person()
    await scene.mine(alice)
    await scene.pay(alice, bob, "1")
    query = "subscription { walletBalanceUpdates { balance wallet { pending { outgoing } } } }"
    task = await watching(graph, graph.subscribe(query, by=alice), 1)
    await scene.mine(miner)
    assert [event["walletBalanceUpdates"] for event in await task] == [
        {"balance": "498.99999000", "wallet": {"pending": {"outgoing": "0.00000000"}}}
    ]


async def test_a_miner_is_notified_of_the_pending_reward(graph: Graph, scene: Scene) -> None:
    alice, miner = await scene.person(), await scene.person()
    await scene.mine(alice)
    query = "subscription { walletBalanceUpdates { wallet { walletId } } }"
    task = await watching(graph, graph.subscribe(query, by=miner), 1)
    await scene.mine(miner)
    assert [event["walletBalanceUpdates"] for event in await task] == [{"wallet": {"walletId": miner.wallet_id}}]


@pytest.mark.parametrize("field", ["transactionUpdates", "walletBalanceUpdates"])
async def test_another_wallet_is_not_there(graph: Graph, scene: Scene, field: str) -> None:
    alice, bob = await scene.person(), await scene.person()

    async def codes(wallet_id: str, by: Person | None) -> list[list[str]]:
        query = f'subscription {{ {field}(walletId: "{wallet_id}") {{ cursor }} }}'
        outcomes = [outcome async for outcome in graph.subscribe(query, by=by)]
        return [
            [e["extensions"]["code"] for e in outcome.errors] for outcome in outcomes if isinstance(outcome, Failed)
        ]

    assert await codes(bob.wallet_id, alice) == [["NOT_FOUND"]]
    assert await codes("0" * 64, alice) == [["NOT_FOUND"]]
    assert await codes(alice.wallet_id, None) == [["UNAUTHENTICATED"]]
    assert graph.hub.listening == 0


async def test_a_list_is_handed_over_to_its_stream(graph: Graph, scene: Scene) -> None:
    """What a page does not show, a subscription behind its `streamCursor` tells: nothing is missed in between."""
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice, 3)
    page = (await graph.data("{ blocks(first: 1) { streamCursor nodes { height } } }"))["blocks"]
    wallet = f'{{ wallet(by: {{walletId: "{bob.wallet_id}"}}) {{ transactions {{ streamCursor nodes {{ hash }} }} }} }}'
    payments = (await graph.data(wallet, by=bob))["wallet"]["transactions"]
    assert payments["nodes"] == []
    await scene.mine(alice, 2)
    paid = await scene.pay(alice, bob, "1")
    query = "subscription { blocks { block { height } } }"
    task = await watching(graph, graph.subscribe(query, after=page["streamCursor"]), 2)
    assert [event["blocks"]["block"]["height"] for event in await task] == [
        page["nodes"][0]["height"] + 1,
        page["nodes"][0]["height"] + 2,
    ]
    query = "subscription { transactionUpdates { transaction { hash } } }"
    task = await watching(graph, graph.subscribe(query, by=bob, after=payments["streamCursor"]), 1)
    assert [event["transactionUpdates"]["transaction"]["hash"] for event in await task] == [paid]


async def test_the_lists_of_several_parents_take_as_many_statements_as_that_of_one(graph: Graph, scene: Scene) -> None:
    people = [await scene.person() for _ in range(3)]
    for person in people:
        await scene.mine(person)

    async def statements(blocks: int) -> int:
        selected = "nodes { miner { transactions(first: 1) { streamCursor nodes { hash } } } }"
        response = await graph.run(f"{{ blocks(first: {blocks}) {{ {selected} }} }}")
        assert response.errors == []
        return response.statements

    assert await statements(1) == await statements(3)


async def test_a_list_that_no_stream_follows_has_no_cursor_of_one(graph: Graph, scene: Scene) -> None:
    alice = await scene.person()
    await scene.mine(alice)
    query = f'{{ wallet(by: {{walletId: "{alice.wallet_id}"}}) {{ blocksMined {{ streamCursor }} }} }}'
    assert await graph.data(query) == {"wallet": {"blocksMined": {"streamCursor": None}}}


async def test_the_mempool_is_followed_with_one_event_for_each_block(graph: Graph, scene: Scene, owner: Owner) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice, 4)
    page = (await graph.data("{ mempool { streamCursor nodes { hash } } }"))["mempool"]
    assert page["nodes"] == []
    # A block without payments takes nothing out of the mempool.
    await scene.mine(alice)
    query = """subscription { mempoolUpdates {
        kind transaction { hash } block { transactions { nodes { hash sender { walletId } } } } } }"""
    task = await watching(graph, graph.subscribe(query, after=page["streamCursor"]), 3)
    paid = [await scene.pay(alice, bob, "1"), await scene.pay(alice, bob, "2")]
    await scene.mine(bob)
    events = [event["mempoolUpdates"] for event in await task]
    assert [event["kind"] for event in events] == ["ACCEPTED", "ACCEPTED", "CONFIRMED"]
    assert [event["transaction"] and event["transaction"]["hash"] for event in events] == [*paid, None]
    confirmed = events[2]["block"]["transactions"]["nodes"]
    assert {each["hash"] for each in confirmed if each["sender"] is not None} == set(paid)
    assert [event["block"] for event in events[:2]] == [None, None]
    assert await owner.fetchval("SELECT count(*) FROM events WHERE stream = 'mempool'") == 3


async def test_the_search_for_a_block_is_published_in_its_current_state(
    graph: Graph, scene: Scene, redis: Redis
) -> None:
    alice = await scene.person()
    volatile = VolatileTopics(redis)
    search = {"height": 7, "difficulty": 14, "transactions": 3, "hashes": 2**40, "hashes_per_s": 2000}
    await volatile.publish(MINING_TOPIC, alice.wallet_id, search)
    query = """subscription { miningProgress {
        height difficulty transactionCount hashes hashesPerSecond miner { walletId } } }"""
    task = await watching(graph, graph.subscribe(query), 1)
    assert [event["miningProgress"] for event in await task] == [
        {
            "height": 7,
            "difficulty": 14,
            "transactionCount": 3,
            "hashes": str(2**40),
            "hashesPerSecond": "2000",
            "miner": {"walletId": alice.wallet_id},
        }
    ]


@pytest.mark.parametrize(
    ("selection", "audience"),
    [
        ("blocks { cursor block { id height hash confirmations miner { id walletId } } }", Audience.PUBLIC),
        ("blocks { block { miner { owner { displayName } transactions { nodes { fee } } } } }", Audience.PUBLIC),
        ("blocks { block { transactions { totalCount { value } nodes { confirmations } } } }", Audience.PUBLIC),
        ("blocks { block { miner { balance } } }", Audience.VIEWER),
        ("blocks { block { miner { owner { displayName email } } } }", Audience.VIEWER),
        ("miningProgress { hashes miner { publicKey } }", Audience.PUBLIC),
        ("transactionUpdates { transaction { hash } }", Audience.VIEWER),
    ],
)
async def test_what_is_selected_decides_who_may_share(graph: Graph, selection: str, audience: Audience) -> None:
    prepared = graph.engine.prepare(f"subscription {{ {selection} }}", None, None, introspection_allowed=True)
    assert not isinstance(prepared, list), prepared
    assert prepared.key is not None
    assert prepared.key.audience is audience

"""What can be watched: in order, of the right kind, by the right people."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest

from app.engine.execution import Response
from tests.domains.ledger.scene import Person, Scene
from tests.schema.ledger.graph import Graph
from tests.waiting import until


async def watching(graph: Graph, stream: AsyncGenerator[Response, None], count: int) -> "asyncio.Task[list[Any]]":
    """A task that takes `count` events, once it listens."""
    listening = graph.hub.listening

    async def take() -> list[Any]:
        taken: list[Any] = []
        async with aclosing(stream), asyncio.timeout(15):
            while len(taken) < count:
                response = await anext(stream)
                assert response.errors == []
                taken.append(response.data)
        return taken

    task = asyncio.create_task(take())
    await until(lambda: graph.hub.listening > listening)
    return task


async def test_blocks_arrive_in_order_for_anybody(graph: Graph, scene: Scene) -> None:
    alice = await scene.person()
    await scene.mine(alice)
    query = "subscription { newBlock { cursor block { height miner { walletId } } } }"
    task = await watching(graph, graph.subscribe(query), 3)
    await scene.mine(alice, 3)
    taken = [event["newBlock"] for event in await task]
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


async def test_the_balance_is_told_when_it_changes(graph: Graph, scene: Scene) -> None:
    alice, bob, miner = await scene.person(), await scene.person(), await scene.person()
    await scene.mine(alice)
    query = "subscription { walletBalance { balance wallet { walletId pending { incoming } } } }"
    task = await watching(graph, graph.subscribe(query, by=bob), 1)
    await scene.pay(alice, bob, "1")
    assert [event["walletBalance"] for event in await task] == [
        {"balance": "0.00000000", "wallet": {"walletId": bob.wallet_id, "pending": {"incoming": "1.00000000"}}}
    ]
    task = await watching(graph, graph.subscribe(query, by=bob), 1)
    await scene.mine(miner)
    assert [event["walletBalance"] for event in await task] == [
        {"balance": "1.00000000", "wallet": {"walletId": bob.wallet_id, "pending": {"incoming": "0.00000000"}}}
    ]


async def test_a_payer_is_told_when_what_they_sent_is_confirmed(graph: Graph, scene: Scene) -> None:
    alice, bob, miner = await scene.person(), await scene.person(), await scene.person()
    await scene.mine(alice)
    await scene.pay(alice, bob, "1")
    query = "subscription { walletBalance { balance wallet { pending { outgoing } } } }"
    task = await watching(graph, graph.subscribe(query, by=alice), 1)
    await scene.mine(miner)
    assert [event["walletBalance"] for event in await task] == [
        {"balance": "498.99999000", "wallet": {"pending": {"outgoing": "0.00000000"}}}
    ]


async def test_a_miner_is_told_of_the_reward_to_come(graph: Graph, scene: Scene) -> None:
    alice, miner = await scene.person(), await scene.person()
    await scene.mine(alice)
    query = "subscription { walletBalance { wallet { walletId } } }"
    task = await watching(graph, graph.subscribe(query, by=miner), 1)
    await scene.mine(miner)
    assert [event["walletBalance"] for event in await task] == [{"wallet": {"walletId": miner.wallet_id}}]


@pytest.mark.parametrize("field", ["transactionUpdates", "walletBalance"])
async def test_another_wallet_is_not_there(graph: Graph, scene: Scene, field: str) -> None:
    alice, bob = await scene.person(), await scene.person()

    async def codes(wallet_id: str, by: Person | None) -> list[list[str]]:
        query = f'subscription {{ {field}(walletId: "{wallet_id}") {{ cursor }} }}'
        return [response.codes async for response in graph.subscribe(query, by=by)]

    assert await codes(bob.wallet_id, alice) == [["NOT_FOUND"]]
    assert await codes("0" * 64, alice) == [["NOT_FOUND"]]
    assert await codes(alice.wallet_id, None) == [["UNAUTHENTICATED"]]
    assert graph.hub.listening == 0

"""Cursors that cannot be resumed from: every transport refuses them, instead of leaving a gap."""

import asyncio
import sys
from typing import Any

import httpx
import msgspec
import pytest

from app.domains.ledger.streams import CHAIN_STREAM, wallet_stream
from app.engine.declarations.stream_cursors import seq_after
from tests.streams.crowd import PLAIN
from tests.streams.deployment import Deployment
from tests.streams.processes import ROOT
from tests.streams.publishing import Publisher
from tests.streams.readers import (
    EventSourceReader,
    Reader,
    SocketReader,
    hear,
    initialise,
    open_socket,
    say,
    sse_events,
)
from tests.waiting import HANG_S, until

RESYNC = ["RESYNC_REQUIRED"]
BALANCES = "subscription($after: Cursor) { walletBalanceUpdates(after: $after) { cursor } }"
BLOCKS = "subscription($after: Cursor) { blocks(after: $after) { cursor } }"
SSE_BLOCKS = "subscription { blocks { cursor block { hash } } }"


async def over_socket(
    deployment: Deployment, document: str, after: str, token: str | None = None
) -> list[dict[str, Any]]:
    """All messages of an operation that the server ends; it is seen to leave the socket as it was."""
    async with open_socket(deployment.url) as socket:
        await initialise(socket, token)
        query = {"query": document, "variables": {"after": after}}
        await say(socket, {"id": "1", "type": "subscribe", "payload": query})
        # Answered after whatever else the operation had to say.
        messages = [await hear(socket)]
        await say(socket, {"type": "ping"})
        while messages[-1]["type"] != "pong":
            messages.append(await hear(socket))
        return messages[:-1]


async def over_sse(
    deployment: Deployment, document: str, after: str, token: str | None = None
) -> list[tuple[str, Any]]:
    """All events of an answer that the server ends."""
    headers = {"accept": "text/event-stream", "last-event-id": after}
    if token:
        headers["authorization"] = f"Bearer {token}"
    async with (
        httpx.AsyncClient(trust_env=False, timeout=HANG_S) as client,
        client.stream("POST", f"{deployment.url}/graphql", json={"query": document}, headers=headers) as response,
    ):
        return [(event, msgspec.json.decode(data) if data else None) async for event, data, _ in sse_events(response)]


async def assert_refused(deployment: Deployment, document: str, after: str, token: str | None = None) -> None:
    """With RESYNC_REQUIRED: `error` over WebSocket; `next` with errors, and then `complete`, over SSE."""
    [message] = await over_socket(deployment, document, after, token)
    assert (message["type"], message["id"]) == ("error", "1")
    assert [error["extensions"]["code"] for error in message["payload"]] == RESYNC
    (first, body), last = await over_sse(deployment, document, after, token)
    assert (first, last) == ("next", ("complete", None))
    assert body.get("data") is None
    assert [error["extensions"]["code"] for error in body["errors"]] == RESYNC


@pytest.mark.parametrize("cursor", ["nonsense", "ä", "A" * 22, "="])
async def test_a_forged_cursor(deployment: Deployment, cursor: str) -> None:
    for document, token in ((BLOCKS, None), (BALANCES, deployment.people[0].token)):
        [message] = await over_socket(deployment, document, cursor, token)
        assert message["type"] == "error"
        assert [error["extensions"]["code"] for error in message["payload"]] == RESYNC
        if cursor.isascii():
            # A header holds nothing else.
            await assert_refused(deployment, document, cursor, token)


async def test_a_cursor_of_the_future_of_another_stream_and_of_another_user(deployment: Deployment) -> None:
    alice, bob, _ = deployment.people
    own, others = wallet_stream(alice.wallet_id), wallet_stream(bob.wallet_id)
    await assert_refused(deployment, BLOCKS, await deployment.cursor(await deployment.top() + 1))
    await assert_refused(deployment, BLOCKS, await deployment.cursor(1, own))
    await assert_refused(deployment, BALANCES, await deployment.cursor(1, others), alice.token)
    await assert_refused(deployment, BALANCES, await deployment.cursor(1), alice.token)
    # The same position in their own stream is valid.
    reached = await over_own_socket(deployment, await deployment.cursor(0, own), alice.token)
    assert reached["type"] == "next"
    epoch = (await deployment.application.events.positions([])).epoch
    assert seq_after(epoch, own, reached["payload"]["data"]["walletBalanceUpdates"]["cursor"]) >= 1


async def over_own_socket(deployment: Deployment, after: str, token: str) -> Any:
    async with open_socket(deployment.url) as socket:
        await initialise(socket, token)
        query = {"query": BALANCES, "variables": {"after": after}}
        await say(socket, {"id": "1", "type": "subscribe", "payload": query})
        return await hear(socket)


async def test_a_place_whose_events_were_trimmed(deployment: Deployment) -> None:
    await publish(deployment, 10)
    top = await deployment.top()
    # A listener keeps the newest events in the memory of the process.
    await until(lambda: nobody_listens(deployment))
    await until(lambda: all_published(deployment))
    async with deployment.owner() as owner:
        await owner.execute("DELETE FROM events WHERE stream = $1 AND seq <= $2", CHAIN_STREAM, top - 5)
    await deployment.application.redis.flushall()
    await assert_refused(deployment, BLOCKS, await deployment.cursor(top - 7))
    await assert_refused(deployment, BLOCKS, await deployment.cursor(0))
    kept = SocketReader(deployment.url, PLAIN, await deployment.cursor(top - 5))
    last = await deployment.cursor(top)
    await until(lambda: kept.newest == last)
    await kept.stop()
    assert len(kept.events) == 5


async def test_a_new_epoch_ends_what_is_open_and_refuses_what_was_noted(deployment: Deployment) -> None:
    old = await deployment.cursor(await deployment.top())
    readers: list[Reader] = [
        SocketReader(deployment.url, PLAIN, old),
        EventSourceReader(deployment.url, SSE_BLOCKS, old),
    ]
    await publish(deployment, 3)
    newest = await deployment.cursor(await deployment.top())
    await until(lambda: all(reader.newest == newest for reader in readers))

    command = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "app",
        "new-epoch",
        cwd=ROOT,
        env={**deployment.environment},
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await command.communicate()
    epoch = (await deployment.application.events.positions([])).epoch
    assert printed.decode().split() == ["epoch", str(epoch)]

    await until(lambda: all(reader.over is not None for reader in readers))
    assert [(reader.over, reader.faults, reader.cuts) for reader in readers] == [(RESYNC, [], [])] * 2
    for cursor in (old, newest):
        await assert_refused(deployment, BLOCKS, cursor)
    # After reading again, a client continues in the new epoch, in which the numbers continue too.
    again = SocketReader(deployment.url, PLAIN, await deployment.cursor(await deployment.top()))
    top = await deployment.top()
    await publish(deployment, 2)
    last = await deployment.cursor(top + 2)
    await until(lambda: again.newest == last)
    assert [event.cursor for event in again.events] == [await deployment.cursor(top + 1), last]
    for reader in (*readers, again):
        await reader.stop()


async def publish(deployment: Deployment, count: int) -> None:
    """So many events, one after the other."""
    publisher = Publisher(deployment.application.database, deployment.application.events, deployment.blocks, rate=1)
    for _ in range(count):
        await publisher.publish()


async def nobody_listens(deployment: Deployment) -> bool:
    # Except for the listener of ended sessions.
    return (await deployment.metrics())["moneta_hub_listeners"] == 1


async def all_published(deployment: Deployment) -> bool:
    async with deployment.owner() as owner:
        return bool(await owner.fetchval("SELECT count(*) = 0 FROM events WHERE published_at IS NULL"))

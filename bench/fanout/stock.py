"""Stock Strawberry with one subscription, as its documentation shows it: a generator for each subscriber.

Fed with ready events from one Redis channel through a queue for each subscriber, as `broadcaster` does it; there is no
database. `python -m bench.fanout.stock` serves it on PORT.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from app.kit.redis_client import open_redis

subscribers: set[asyncio.Queue[BlockEvent]] = set()


@strawberry.type
class Block:
    height: int
    hash: str


@strawberry.type
class BlockEvent:
    cursor: str
    block: Block


@strawberry.type
class Query:
    @strawberry.field
    def subscribers(self) -> int:
        return len(subscribers)


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def blocks(self) -> AsyncGenerator[BlockEvent, None]:
        queue: asyncio.Queue[BlockEvent] = asyncio.Queue()
        subscribers.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            subscribers.discard(queue)


async def _feed(url: str, channel: str) -> None:
    redis = await open_redis(url)
    async with redis.pubsub(ignore_subscribe_messages=True) as pubsub:
        await pubsub.subscribe(channel)
        async for message in pubsub.listen():
            event: dict[str, Any] = json.loads(message["data"])
            block = BlockEvent(cursor=event["cursor"], block=Block(**event["block"]))
            for queue in subscribers:
                queue.put_nowait(block)


@asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[None]:
    feeding = asyncio.create_task(_feed(os.environ["BENCH_REDIS_URL"], os.environ["BENCH_CHANNEL"]))
    yield
    feeding.cancel()
    with suppress(asyncio.CancelledError):
        await feeding


def main() -> None:
    """Serves it in the usual way: uvicorn, uvloop, its default WebSockets, no compression, no access log."""
    view: GraphQL[Any, None] = GraphQL(
        strawberry.Schema(query=Query, subscription=Subscription),
        subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
    )
    uvicorn.run(
        Starlette(routes=[Route("/graphql", view), WebSocketRoute("/graphql", view)], lifespan=_lifespan),
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        ws_per_message_deflate=False,
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()

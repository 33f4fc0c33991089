"""Our Redis backend for `broadcaster`: it survives a lost connection, and says when messages may have been missed."""

import asyncio
from typing import Any

import structlog
from broadcaster import Broadcast, BroadcastBackend, Event
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from app.kit.tasks import heed_cancellation

GAP = ""
"""A message that Redis never sends: here the channel may have a hole."""

_RETRY_S = 0.25
log = structlog.get_logger(__name__)


class RedisBackend(BroadcastBackend):
    """One pub/sub connection, read by one task.

    broadcaster's own backend wakes its reader before it has subscribed and dies with its connection; this one waits
    for the server's confirmation, reconnects for ever, and turns each repeated confirmation into a GAP.
    """

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._pubsub: PubSub = redis.pubsub()
        self._channels: dict[str, asyncio.Event] = {}
        self._subscribed = asyncio.Event()

    async def connect(self) -> None:
        """Nothing to do: the connection is made by the first subscription."""

    async def disconnect(self) -> None:
        """Closes the pub/sub connection."""
        await self._pubsub.aclose()  # type: ignore[no-untyped-call]

    async def subscribe(self, group: str) -> None:
        """Returns once the server has confirmed: whatever is published from here on arrives."""
        confirmed = self._channels.setdefault(group, asyncio.Event())
        while True:
            try:
                await self._pubsub.subscribe(group)
                break
            except (RedisError, OSError) as error:
                log.warning("pubsub.unreachable", error=str(error) or type(error).__name__)
                await asyncio.sleep(_RETRY_S)
        self._subscribed.set()
        await confirmed.wait()

    async def unsubscribe(self, group: str) -> None:
        """Stops hearing a channel."""
        self._channels.pop(group, None)
        await self._pubsub.unsubscribe(group)

    async def publish(self, channel: str, message: Any) -> None:
        """Publishes to whoever listens now."""
        await self._redis.publish(channel, message)

    async def next_published(self) -> Event:
        """The next message of any channel. It never raises: a lost server is waited for."""
        await self._subscribed.wait()
        while True:
            heed_cancellation()
            try:
                message = await self._pubsub.get_message(timeout=5.0)
            except (RedisError, OSError) as error:
                log.warning("pubsub.interrupted", error=str(error) or type(error).__name__)
                await asyncio.sleep(_RETRY_S)
                continue
            if message is None:
                continue
            channel = message["channel"].decode()
            if message["type"] == "message":
                return Event(channel, message["data"].decode(errors="replace"))
            if message["type"] == "subscribe" and (confirmed := self._channels.get(channel)):
                if confirmed.is_set():
                    return Event(channel, GAP)
                confirmed.set()


def broadcast_over(redis: "Redis") -> Broadcast:
    """broadcaster, over our backend."""
    return Broadcast(backend=RedisBackend(redis))

"""Our Redis backend for `broadcaster`: it survives a lost connection, and reports possible gaps."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from broadcaster import Broadcast, BroadcastBackend, Event
from broadcaster._base import Subscriber
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from app.kit.tasks import heed_cancellation

GAP = ""
"""A message that Redis never sends: here the channel may have a hole."""

_RETRY_S = 0.25
_CONFIRMATION_S = 5.0
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
        """Returns once the server has confirmed: everything published from here on arrives."""
        confirmed = self._channels.setdefault(group, asyncio.Event())
        while not confirmed.is_set():
            try:
                await self._pubsub.subscribe(group)
                self._subscribed.set()
                # Repeated without a confirmation: the command may have been lost with its connection.
                async with asyncio.timeout(_CONFIRMATION_S):
                    await confirmed.wait()
            except TimeoutError:
                log.warning("pubsub.unconfirmed", channel=group)
            except (RedisError, OSError) as error:
                log.warning("pubsub.unreachable", error=str(error) or type(error).__name__)
                await asyncio.sleep(_RETRY_S)

    async def unsubscribe(self, group: str) -> None:
        """Unsubscribes from a channel."""
        self._channels.pop(group, None)
        try:
            await self._pubsub.unsubscribe(group)
        except (RedisError, OSError) as error:
            # At worst the channel is received again after the reconnection, without a subscriber.
            log.warning("pubsub.unreachable", error=str(error) or type(error).__name__)

    async def publish(self, channel: str, message: Any) -> None:
        """Publishes to the current subscribers."""
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


class Channels(Broadcast):
    """broadcaster, over our backend, where subscribing and unsubscribing take turns.

    broadcaster forgets one of two that subscribe to a channel for the first time at once, can unsubscribe a channel
    that a subscriber is just joining, loses what arrives between the confirmation and the registration, and raises
    KeyError when a subscription that is under way is cancelled.
    """

    def __init__(self, backend: RedisBackend) -> None:
        super().__init__(backend=backend)
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[Subscriber]:
        """Subscribes to a channel."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        try:
            async with self._turn:
                first = channel not in self._subscribers
                self._subscribers.setdefault(channel, set()).add(queue)
                if first:
                    await self._backend.subscribe(channel)
            yield Subscriber(queue)
        finally:
            async with self._turn:
                queues = self._subscribers.get(channel, set())
                queues.discard(queue)
                if not queues and self._subscribers.pop(channel, None) is not None:
                    await self._backend.unsubscribe(channel)


def broadcast_over(redis: "Redis") -> Broadcast:
    """broadcaster, over our backend."""
    return Channels(RedisBackend(redis))

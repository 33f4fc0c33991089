"""The relay moves committed facts from Postgres to Redis, in order. One is active; the others stand by."""

import asyncio
import contextlib

import asyncpg
import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.kit.db import Database, end_session
from app.kit.events import WAKE_CHANNEL, Event, Q
from app.kit.tasks import end, heed_cancellation

CHANNEL = "moneta:events"
"""The one channel on which every worker hears every fact."""

BATCH = 500
STREAM_LENGTH = 10_000
STREAM_TTL_S = 86_400
POLL_S = 0.1
STANDBY_S = 1.0

log = structlog.get_logger(__name__)

# The id is the fact's seq, so Redis itself refuses to store a repeat after a crash. It is announced all the same: the
# hubs count for themselves, and a database that was made anew has low numbers again.
_MOVE = """
local added = redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], ARGV[1] .. '-0', 'e', ARGV[2])
if type(added) == 'table' and added.err and not string.find(added.err, 'equal or smaller') then
    return added
end
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('PUBLISH', ARGV[5], ARGV[2])
return 1
"""


def stream_key(stream: str) -> str:
    """Where Redis keeps the newest facts of a stream."""
    return f"moneta:stream:{stream}"


class Relay:
    """Runs until cancelled. Losing Postgres or Redis only delays: every fact stays marked until it was moved."""

    def __init__(self, database: Database, redis: "Redis") -> None:
        self._database = database
        self._redis = redis
        self._move = redis.register_script(_MOVE)
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Takes turns at being active, and moves facts while it is."""
        listener = asyncio.create_task(self._listen_for_wake())
        try:
            while True:
                try:
                    await self._lead()
                except (asyncpg.PostgresError, asyncpg.InterfaceError, RedisError, OSError) as error:
                    log.warning("relay.interrupted", error=str(error) or type(error).__name__)
                except Exception:
                    log.exception("relay.failed")
                heed_cancellation()
                await asyncio.sleep(STANDBY_S)
        finally:
            await end(listener)

    async def _lead(self) -> None:
        async with self._database.pool.acquire() as connection:
            # The lock belongs to the session. Ending the session gives it up whatever happened, and waits for nothing;
            # a session that may still hold the lock never goes back to the pool.
            try:
                if not await connection.fetchval(Q.try_relay_lock.sql):
                    return
                log.info("relay.active")
                while True:
                    heed_cancellation()
                    self._wake.clear()
                    if await self._move_batch(connection) < BATCH:
                        # Not wait_for: in Python 3.11 it loses a cancellation that meets the wake-up.
                        with contextlib.suppress(TimeoutError):
                            async with asyncio.timeout(POLL_S):
                                await self._wake.wait()
            except BaseException:
                end_session(connection)
                raise

    async def _move_batch(self, connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]") -> int:
        rows = await connection.fetch(Q.unpublished_events.sql, BATCH)
        if not rows:
            return 0
        pipeline = self._redis.pipeline(transaction=False)
        for _, *columns in rows:
            event = Event(*columns)
            await self._move(
                keys=[stream_key(event.stream)],
                args=[event.seq, msgspec.json.encode(event), STREAM_LENGTH, STREAM_TTL_S, CHANNEL],
                client=pipeline,
            )
        await pipeline.execute()
        await connection.execute(Q.mark_published.sql, [row["id"] for row in rows])
        return len(rows)

    async def _listen_for_wake(self) -> None:
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(WAKE_CHANNEL)
                    async for _ in pubsub.listen():
                        self._wake.set()
            except (RedisError, OSError):
                # The poll carries on without the wake-ups.
                await asyncio.sleep(STANDBY_S)

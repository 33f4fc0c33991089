"""The relay moves committed facts from Postgres to Redis, in order. One is active; the others stand by."""

import asyncio
import contextlib
from typing import Any

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.kit.db import Database
from app.kit.errors import Unavailable
from app.kit.events import WAKE_CHANNEL, Event, EventSql, stream_key
from app.kit.postgres import CONNECTION_ERRORS, end_session
from app.kit.tasks import end, heed_cancellation
from app.kit.transaction import UnpooledConnection

CHANNEL = "moneta:facts"
"""The one channel on which every process receives every fact: lines of epoch, stream, and the event as JSON."""

BATCH = 500
STREAM_LENGTH = 10_000
STREAM_TTL_S = 900
"""How long Redis keeps a fact. Clients that reconnect later are served from Postgres.
So Redis holds only recent events, whether they are read or not."""
POLL_S = 0.1
STANDBY_S = 1.0

log = structlog.get_logger(__name__)

# A batch is one script: Redis runs it whole or not at all, so no death of the relay can leave a fact out or change the
# order. The id is the fact's seq, so a repeat after a crash is recognised. It is announced all the same: the hubs count
# for themselves. A stream never has a hole: where Redis lost something (flushed, out of memory), it restarts. It is
# trimmed from its start, by the clock of Redis; what was not dated is of an earlier release, and old.
_MOVE = """
local length, ttl_s, channel = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local now = tonumber(redis.call('TIME')[1])
local last = {}

local function forget_old(key)
    local count = 1
    while true do
        local oldest, young = redis.call('XRANGE', key, '-', '+', 'COUNT', count), nil
        for _, entry in ipairs(oldest) do
            if tonumber(entry[2][4] or 0) > now - ttl_s then
                young = entry[1]
                break
            end
        end
        if young then
            if young ~= oldest[1][1] then
                redis.call('XTRIM', key, 'MINID', young)
            end
            return
        end
        if #oldest < count then
            return
        end
        if count > 1 then
            redis.call('XTRIM', key, 'MINID', oldest[count][1])
        end
        count = 100
    end
end

for i, key in ipairs(KEYS) do
    local seq, head, event = tonumber(ARGV[3 * i + 1]), ARGV[3 * i + 2], ARGV[3 * i + 3]
    if not last[key] then
        local held = redis.pcall('XREVRANGE', key, '+', '-', 'COUNT', 1)
        if held.err then
            -- It is no stream of ours, and nothing else may wait for it.
            redis.call('DEL', key)
            held = {}
        end
        local newest = held[1]
        last[key] = newest and tonumber(string.match(newest[1], '^%d+')) or seq - 1
    end
    if seq > last[key] then
        if seq > last[key] + 1 then
            redis.call('DEL', key)
        end
        redis.call('XADD', key, 'MAXLEN', '~', length, ARGV[3 * i + 1] .. '-0', 'e', event, 't', now)
        redis.call('EXPIRE', key, ttl_s)
        last[key] = seq
    end
    redis.call('PUBLISH', channel, head .. event)
end
for key in pairs(last) do
    forget_old(key)
end
return #KEYS
"""


class Relay:
    """Runs until cancelled. Losing Postgres or Redis only delays: every fact stays marked until it was moved."""

    def __init__(self, database: Database, redis: "Redis") -> None:
        self._database = database
        self._redis = redis
        self._move = redis.register_script(_MOVE)
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Waits to become active, and moves facts while it is."""
        listener = asyncio.create_task(self._listen_for_wake())
        try:
            while True:
                try:
                    await self._lead()
                except (Unavailable, *CONNECTION_ERRORS, RedisError) as error:
                    log.warning("relay.interrupted", error=str(error) or type(error).__name__)
                except Exception:
                    log.exception("relay.failed")
                heed_cancellation()
                await asyncio.sleep(STANDBY_S)
        finally:
            await end(listener)

    async def _lead(self) -> None:
        session = UnpooledConnection(await self._database.connect())
        try:
            while not await session.fetch_one(EventSql.try_relay_lock):
                heed_cancellation()
                await asyncio.sleep(STANDBY_S)
            # A restore ends every session, so the next leader passes here before its first move.
            await session.fetch(EventSql.epoch_and_positions, [])
            log.info("relay.active")
            while True:
                heed_cancellation()
                self._wake.clear()
                if await self._move_batch(session) < BATCH:
                    # Not wait_for: in Python 3.11 it loses a cancellation that meets the wake-up.
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(POLL_S):
                            await self._wake.wait()
        finally:
            # The lock belongs to the session: ending the session releases it, and waits for nothing.
            end_session(session.connection)

    async def _move_batch(self, session: UnpooledConnection) -> int:
        rows = await session.fetch(EventSql.unpublished_events, BATCH)
        if not rows:
            return 0
        keys: list[str] = []
        args: list[Any] = [STREAM_LENGTH, STREAM_TTL_S, CHANNEL]
        for row in rows:
            event = Event(row.stream, row.seq, row.kind, row.payload, row.created_at)
            keys.append(stream_key(row.epoch, event.stream))
            args += (event.seq, f"{row.epoch.hex}\n{event.stream}\n", msgspec.json.encode(event))
        await self._move(keys=keys, args=args)
        await session.execute(EventSql.mark_published, [row.id for row in rows])
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

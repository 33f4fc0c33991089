"""How often something may be done in a minute, an hour or a day, counted in Redis across all processes.

Windows begin at whole minutes, hours and days in UTC. Of many at once exactly as many are allowed as are left: one
script looks at all windows, and counts in all of them or in none.
"""

import asyncio
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.kit.clock import Clock
from app.kit.errors import RateLimited, Unavailable

PATIENCE_S: Final = 1.0
"""Seconds that Redis gets to count."""
_SPARE_S: Final = 60
"""A counter is kept for so long after its window: clocks of processes differ a little."""

# Limits and spans come, and counts go, in one text each: for the client each value of its own costs as much as a count.
_TAKE = """
local over, counts, spans, limits = 0, redis.call('MGET', unpack(KEYS)), {}, {}
for limit, span in string.gmatch(ARGV[1], '(%d+):(%d+)') do
    limits[#limits + 1], spans[#spans + 1] = tonumber(limit), span
end
for i = 1, #KEYS do
    counts[i] = tonumber(counts[i] or '0')
    if counts[i] >= limits[i] then over = 1 end
end
if over == 0 then
    for i = 1, #KEYS do
        counts[i] = redis.call('INCR', KEYS[i])
        if counts[i] == 1 then redis.call('EXPIRE', KEYS[i], spans[i]) end
    end
end
return over .. ' ' .. table.concat(counts, ' ')
"""


class Window(msgspec.Struct, frozen=True):
    """`limit` uses by a subject in each span of time."""

    name: str
    subject: str
    limit: int
    span_s: int


class Usage(msgspec.Struct, frozen=True):
    """What is left of a window."""

    name: str
    limit: int
    remaining: int
    span_s: int
    resets_at: datetime
    resets_in_s: int


class Quotas:
    """Counts uses."""

    def __init__(self, redis: "Redis", clock: Clock) -> None:
        self._clock = clock
        self._take = redis.register_script(_TAKE)

    async def take(self, windows: Sequence[Window]) -> tuple[Usage, ...]:
        """Counts one use in all of these windows; returns what is left. Raises QuotaExceeded, and counts in none, where
        one has nothing left; Unavailable if Redis does not answer.
        """
        now = self._clock.now().timestamp()
        keys = [f"moneta:quota:{each.name}:{each.subject}:{int(now // each.span_s)}" for each in windows]
        limits = " ".join(f"{each.limit}:{each.span_s + _SPARE_S}" for each in windows)
        try:
            async with asyncio.timeout(PATIENCE_S):
                over, *counts = map(int, (await self._take(keys=keys, args=[limits])).split())
        except (RedisError, OSError, TimeoutError) as error:
            raise Unavailable from error
        left = tuple(
            Usage(
                each.name,
                each.limit,
                max(0, each.limit - count),
                each.span_s,
                datetime.fromtimestamp((now // each.span_s + 1) * each.span_s, UTC),
                max(1, math.ceil(each.span_s - now % each.span_s)),
            )
            for each, count in zip(windows, counts, strict=True)
        )
        if over:
            raise QuotaExceeded(left)
        return left


class QuotaExceeded(RateLimited):
    """The limit is reached. Wait, then try again."""

    def __init__(self, windows: tuple[Usage, ...]) -> None:
        super().__init__(max((each.resets_in_s for each in windows if each.remaining == 0), default=1))
        self.windows = windows
        self.message = f"This key has reached its limit of calls. Try again in {self.retry_after_s} s."
        self.args = (self.message,)

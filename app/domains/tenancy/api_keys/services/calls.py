"""Counting the calls of API keys, and refusing those beyond their limits."""

import asyncio
import contextlib
import math
import secrets
from contextvars import Context
from datetime import date, datetime
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
import structlog

from app.domains.system.services import SettingsCache
from app.domains.tenancy.api_keys.model import CallUsage, MonthCalls
from app.domains.tenancy.api_keys.rules import next_month
from app.domains.tenancy.api_keys.statements import ApiKeySql
from app.domains.tenancy.tenants.model.tenants import ActingKey, Plan, Tenancy
from app.kit.addresses import ip_address
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import Problem, Unavailable
from app.kit.quotas import QuotaExceeded, Quotas, Usage, Window
from app.kit.work import Work, working

SHARDS: Final = 16
"""The rows of a tenant to which processes add."""
FLUSH_S: Final = 1.0
USES_EVERY_S: Final = 60.0
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400

log = structlog.get_logger(__name__)


class Uses(msgspec.Struct):
    """Uses of a key that are not stored yet."""

    number: int
    at: datetime
    ip: str | None


class Month(msgspec.Struct):
    """The calls of a tenant in a month: what is stored, and what this process has not stored yet."""

    stored: int
    limit: int
    buffered: int = 0
    asking: int = 0
    """What may yet be refused for another limit."""
    flying: int = 0
    """What is being stored at this moment."""

    @property
    def left(self) -> int:
        """How many are left."""
        return max(0, self.limit - self.stored - self.flying - self.buffered - self.asking)


class MonthSpan(NamedTuple):
    """When a month begins and ends, in UTC."""

    begins_at: datetime
    ends_at: datetime
    length_s: int


class Calls:
    """Counts calls. A call is an operation that a key sends; a subscription is another with each minute that it is
    open.

    In Redis, exactly, for a minute, an hour and a day of the key, and an hour of the tenant; in Postgres for the month
    of the tenant, where each process adds what it has counted once a second: the limit of a month may be exceeded by
    what the processes have not added yet. A process that ends in order adds all it has.
    """

    def __init__(self, database: Database, clock: Clock, quotas: Quotas, settings: SettingsCache) -> None:
        """`settings` say how many calls a plan has in an hour."""
        self._database = database
        self._clock = clock
        self._quotas = quotas
        self._settings = settings
        self._shard = secrets.randbelow(SHARDS)
        self._span = _span_of(clock.now())
        self._months: dict[UUID, Month] = {}
        self._earlier: list[tuple[date, dict[UUID, int]]] = []
        """What was counted in months before, and is not stored yet."""
        self._uses: dict[UUID, Uses] = {}
        self._flushing: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    def learn(self, tenant_id: UUID, stored: int, limit: int) -> None:
        """What is stored of a tenant's calls in the present month, and its limit."""
        self._turn()
        known = self._months.setdefault(tenant_id, Month(stored, limit))
        known.stored, known.limit = max(known.stored, stored), limit

    async def charge(self, tenancy: Tenancy, key: ActingKey) -> CallUsage:
        """Counts a call of a key. Raises RateLimited, and does not count it, where a limit is reached.

        While Redis does not answer, only the month is limited, and the usage says that it is not counted.
        """
        now = self._turn()
        month = self._months.setdefault(tenancy.tenant_id, Month(0, key.per_month))
        if not month.left:
            raise QuotaExceeded((self._usage(month, now),))
        # Before anything is awaited: of many at once none sees what another is about to use.
        month.asking += 1
        try:
            limits = windows_of(
                tenancy.tenant_id, key.id, key.per_minute, key.per_hour, key.per_day, self._of_plan(key.plan)
            )
            windows, is_counted = await self._quotas.take(limits), True
        except Unavailable:
            windows, is_counted = (), False
        finally:
            month.asking -= 1
        now = self._turn()
        month = self._months[tenancy.tenant_id]
        month.buffered += 1
        uses = self._uses.setdefault(key.id, Uses(0, now, None))
        uses.number, uses.at, uses.ip = uses.number + 1, now, ip_address(tenancy.client.ip)
        if self._flushing is None:
            # Not a part of the request that happens to begin it.
            self._flushing = asyncio.create_task(self._keep_flushing(), context=Context())
        return CallUsage((*windows, self._usage(month, now)), is_counted)

    async def flush(self, *, uses: bool = True) -> None:
        """Stores what was counted. Raises Unavailable, and keeps it, if that is not possible."""
        self._turn()
        of, months = self._month, self._months
        made = {id: month.buffered for id, month in sorted(months.items()) if month.buffered}
        for id, number in made.items():
            months[id].buffered, months[id].flying = 0, number
        earlier, used = self._earlier, sorted(self._uses.items()) if uses else []
        self._earlier = []

        async def write(tx: Tx) -> list[MonthCalls]:
            for month, calls in earlier:
                await tx.fetch(ApiKeySql.add_calls, month, self._shard, [*calls], [*calls.values()])
            if used:
                columns = zip(*((id, each.number, each.at, each.ip) for id, each in used), strict=True)
                await tx.execute(ApiKeySql.note_uses, *map(list, columns))
            return await tx.fetch(ApiKeySql.add_calls, of, self._shard, [*made], [*made.values()])

        counted = {id: each.number for id, each in used}
        try:
            with working(Work(None)):
                rows = await self._database.write(SYSTEM, write)
        except BaseException:
            self._earlier += earlier
            self._give_back(of, months, made)
            raise
        for row in rows:
            months[row.tenant_id].stored, months[row.tenant_id].limit = row.calls, row.calls_limit
        for id in made:
            months[id].flying = 0
        for id, number in counted.items():
            self._uses[id].number -= number
            if self._uses[id].number == 0:
                del self._uses[id]

    def _give_back(self, of: date, months: dict[UUID, Month], made: dict[UUID, int]) -> None:
        """Takes back what could not be stored; another month may have begun meanwhile."""
        for id, number in made.items():
            months[id].buffered, months[id].flying = months[id].buffered + number, 0
        if of != self._month:
            self._earlier.append((of, made))

    async def stop(self) -> None:
        """Stores what was counted, and ends."""
        self._stopping.set()
        if self._flushing is not None:
            await self._flushing

    async def _keep_flushing(self) -> None:
        """Stores what is counted, until nothing is left."""
        loop = asyncio.get_running_loop()
        uses_due = loop.time() + USES_EVERY_S
        is_last = False
        while not is_last and (self._uses or self._earlier or any(each.buffered for each in self._months.values())):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_S):
                    await self._stopping.wait()
            is_last = self._stopping.is_set()
            try:
                await self.flush(uses=is_last or loop.time() >= uses_due)
            except Problem as problem:
                log.warning("api_calls.not_stored", error=problem.message)
            except Exception:
                log.exception("api_calls.not_stored")
        self._flushing = None

    def _turn(self) -> datetime:
        """Begins another month, if it is one; returns the time."""
        now = self._clock.now()
        if self._span.begins_at <= now < self._span.ends_at:
            return now
        if made := {id: each.buffered for id, each in self._months.items() if each.buffered}:
            self._earlier.append((self._month, made))
        self._months = {id: Month(0, each.limit) for id, each in self._months.items()}
        self._span = _span_of(now)
        return now

    @property
    def _month(self) -> date:
        return self._span.begins_at.date()

    def _usage(self, month: Month, now: datetime) -> Usage:
        span = self._span
        resets_in_s = max(1, math.ceil((span.ends_at - now).total_seconds()))
        return Usage("month", month.limit, month.left, span.length_s, span.ends_at, resets_in_s)

    def _of_plan(self, plan: Plan) -> int:
        plans = self._settings.current.default_rate_limits
        match plan:
            case Plan.FREE:
                return plans.free
            case Plan.PRO:
                return plans.pro
            case Plan.ENTERPRISE:
                return plans.enterprise


@lru_cache(maxsize=4096)
def windows_of(  # noqa: PLR0917  # what they are made of
    tenant_id: UUID, key_id: UUID, per_minute: int, per_hour: int, per_day: int, by_plan: int
) -> tuple[Window, ...]:
    """What limits a key: its own windows, and an hour of all keys of the tenant by its plan."""
    key = str(key_id)
    return (
        Window("minute", key, per_minute, MINUTE_S),
        Window("hour", key, per_hour, HOUR_S),
        Window("day", key, per_day, DAY_S),
        Window("plan", str(tenant_id), by_plan, HOUR_S),
    )


def _span_of(moment: datetime) -> MonthSpan:
    begins_at, ends_at = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0), next_month(moment)
    return MonthSpan(begins_at, ends_at, int((ends_at - begins_at).total_seconds()))

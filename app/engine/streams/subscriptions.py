"""The open subscriptions of a process, in groups."""

import asyncio
import math
from collections.abc import Hashable
from functools import partial
from typing import Any, Final
from uuid import UUID

import msgspec

from app.engine.declarations.limits import LimitExceeded
from app.engine.declarations.subscriptions import Volatile, cost_per_s, rate_of
from app.engine.execution.engine import Engine
from app.engine.execution.failures import TimedOut
from app.engine.execution.limits.cost import hint_to_fit
from app.engine.execution.operations import NotOpened, Prepared, RequestContext
from app.engine.execution.subscription_key import SubscriptionKey
from app.engine.streams.budgets import BudgetCharge, Budgets, OverBudget, Payer
from app.engine.streams.durable import DurableGroup
from app.engine.streams.group import BROKEN, Group, GroupRequest, StreamRuntime, end_of
from app.engine.streams.memo import Memo
from app.engine.streams.model import Counters, EndReason, Sink, Transport
from app.engine.streams.subscription import Subscription, with_reason
from app.engine.streams.volatile import VolatileGroup
from app.kit.errors import Code, Problem
from app.kit.hub import Hub

MEMO_BYTES: Final = 32 * 1024 * 1024
REPLAYS_AT_ONCE: Final = 4
ATTEMPTS: Final = 3
"""The maximum number of groups that a new subscriber tries to join: a group may end while one is joining."""

CLOSED: Final = [
    {"message": "The viewer closed this subscription.", "extensions": {"code": Code.STREAM_CLOSED}},
]
"""The message to a subscriber whose viewer closed the subscription, maybe on another connection."""

_OURS: Final = {Code.INTERNAL, Code.MAINTENANCE}

GroupKey = tuple[str, str, str, Hashable, Hashable]


class _Entry(msgspec.Struct, eq=False):
    """A group, its start, and the number of subscribers that are in it or joining it."""

    group_key: GroupKey
    group: DurableGroup | VolatileGroup
    ready: "asyncio.Task[None]"
    users: int = 0


class _Newcomer(msgspec.Struct, frozen=True, eq=False):
    """A subscriber that is joining a group."""

    sink: Sink
    transport: Transport
    viewer_id: UUID | None
    after: str | None
    since: int | None
    charge: BudgetCharge


class Subscriptions:
    """Opens subscriptions and keeps a registry of the open ones."""

    def __init__(self, engine: Engine, hub: Hub, *, replay_limit: int) -> None:
        """`replay_limit` is the maximum number of events that a subscription may start back."""
        self.counters = Counters()
        self._runtime = StreamRuntime(
            engine, hub, Memo(MEMO_BYTES), self.counters, asyncio.Semaphore(REPLAYS_AT_ONCE), self._forget, replay_limit
        )
        self._budgets = Budgets(engine.limits)
        self._charges: dict[Subscription, BudgetCharge] = {}
        self._entries: dict[GroupKey, _Entry] = {}
        self._entry_of: dict[Group, _Entry] = {}
        self._by_id: dict[str, Subscription] = {}
        self._by_viewer: dict[UUID, dict[str, Subscription]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    @property
    def groups(self) -> int:
        """The number of groups: an event is executed at most this often."""
        return len(self._entry_of)

    @property
    def lag(self) -> int:
        """The number of events that were not delivered to the slowest subscriber yet."""
        return max((member.lag for member in self._by_id.values()), default=0)

    def open_over(self, transport: Transport) -> int:
        """The number of open subscriptions over a transport."""
        return sum(member.transport is transport for member in self._by_id.values())

    def of(self, viewer_id: UUID) -> list[Subscription]:
        """A viewer's open subscriptions, the oldest first."""
        return list(self._by_viewer.get(viewer_id, {}).values())

    def end(self, subscription_id: str, viewer_id: UUID) -> bool:
        """Closes a viewer's subscription, and tells its client. Returns False if the viewer has none with this ID."""
        member = self._by_viewer.get(viewer_id, {}).get(subscription_id)
        if member is None:
            return False
        member.finish(EndReason.STREAM_CLOSED, CLOSED)
        return True

    async def open(
        self,
        prepared: Prepared,
        context: RequestContext,
        sink: Sink,
        transport: Transport,
        payer: Payer,
        *,
        after: str | None = None,
    ) -> Subscription | list[dict[str, Any]]:
        """Authorises the caller and joins the group. Returns errors, in the form that a client sees, if refused.

        The cost is charged to `payer` while the subscription is open. `after` replaces the argument in the document.
        The sink may receive events before this returns.
        """
        key = prepared.key
        assert key is not None, "every field of the subscription type is declared"
        try:
            opened = await self._runtime.engine.open_stream(prepared, context)
            async with asyncio.timeout(self._runtime.engine.limits.timeout_s):
                followed = opened.followed
                audience = followed.audience_of(key.audience)
                request = GroupRequest(key, prepared, followed, partial(context.for_event, audience))
                group_key = _group_key(request, context.audience_key(audience))
                charge = self._charge(payer, group_key, prepared, key)
                position = after or opened.after
                newcomer = _Newcomer(sink, transport, context.viewer_id, position, followed.since, charge)
                try:
                    return await self._join(group_key, request, newcomer)
                except BaseException:
                    charge.give_back()
                    raise
        except TimeoutError:
            return self._refuse(TimedOut(), transport)
        except (NotOpened, Problem) as refusal:
            return self._refuse(refusal, transport)

    def stop(self) -> None:
        """Ends every subscription without a message to its client."""
        for member in list(self._by_id.values()):
            member.close(EndReason.SERVER_STOPPING)

    def _refuse(self, refusal: NotOpened | Problem, transport: Transport) -> list[dict[str, Any]]:
        """The errors of a refusal. It counts as an end, and has its reason, unless the request itself is refused."""
        reason, errors = end_of(refusal)
        if reason is EndReason.FAILED and errors[0]["extensions"]["code"] not in _OURS:
            return errors
        self.counters.resyncs += reason is EndReason.RESYNC_REQUIRED
        self.counters.ends[transport, reason] += 1
        return [with_reason(error, reason) for error in errors]

    def _charge(self, payer: Payer, group_key: GroupKey, prepared: Prepared, key: SubscriptionKey) -> BudgetCharge:
        """Charges the subscription. Raises LimitExceeded, which says what is left."""
        engine = self._runtime.engine
        per_s = cost_per_s(key.declared, prepared.cost, engine.limits)
        try:
            return self._budgets.charge(payer, group_key, per_s)
        except OverBudget as over:
            self.counters.refusals += 1
            rate = rate_of(key.declared, engine.limits)
            fitting = msgspec.structs.replace(engine.limits, cost=math.floor(over.left / rate))
            hint = hint_to_fit(
                engine.schema, prepared.operation, prepared.fragments, prepared.variables.coerced, fitting
            )
            raise LimitExceeded(
                f"This subscription costs {per_s:,} a second: {prepared.cost:,} an event, {rate:g} events a second. Of"
                f" the {over.limit:,} a second that {over.whose} may use, {over.left:,} are left. {hint} Or close"
                " another subscription first."
            ) from over

    async def _join(self, group_key: GroupKey, request: GroupRequest, newcomer: _Newcomer) -> Subscription:
        for _ in range(ATTEMPTS):
            entry = self._entries.get(group_key)
            if entry is None or entry.group.ended:
                entry = self._begin(group_key, request)
            member = await self._enter(entry, newcomer)
            if member is not None:
                return member
        raise NotOpened(BROKEN)

    async def _enter(self, entry: _Entry, newcomer: _Newcomer) -> Subscription | None:
        """A new member of a group, once the group has started; None if it has ended."""
        group = entry.group
        entry.users += 1
        joined = False
        try:
            await asyncio.shield(entry.ready)
            position = await _position(group, newcomer)
            if group.ended:
                return None
            member = Subscription(group, newcomer.sink, newcomer.transport, newcomer.viewer_id, position)
            self._register(member, newcomer.charge)
            group.join(member)
            joined = True
            return member
        finally:
            if not joined:
                self._release(entry)

    def _begin(self, group_key: GroupKey, request: GroupRequest) -> _Entry:
        kind = VolatileGroup if isinstance(request.key.declared, Volatile) else DurableGroup
        group = kind(self._runtime, request)
        entry = _Entry(group_key, group, asyncio.get_running_loop().create_task(group.start()))
        self._entries[group_key] = self._entry_of[group] = entry
        return entry

    def _register(self, member: Subscription, charge: BudgetCharge) -> None:
        self._charges[member] = charge
        self._by_id[member.id] = member
        if member.viewer_id is not None:
            self._by_viewer.setdefault(member.viewer_id, {})[member.id] = member

    def _forget(self, group: Group, member: Subscription, reason: EndReason) -> None:
        self.counters.ends[member.transport, reason] += 1
        del self._by_id[member.id]
        self._charges.pop(member).give_back()
        if member.viewer_id is not None:
            of_viewer = self._by_viewer[member.viewer_id]
            del of_viewer[member.id]
            if not of_viewer:
                del self._by_viewer[member.viewer_id]
        self._release(self._entry_of[group])

    def _release(self, entry: _Entry) -> None:
        entry.users -= 1
        if entry.users == 0:
            entry.ready.cancel()
            entry.group.close()
            del self._entry_of[entry.group]
            # A group that ended may have been replaced by another.
            if self._entries.get(entry.group_key) is entry:
                del self._entries[entry.group_key]


def _group_key(request: GroupRequest, audience: Hashable) -> GroupKey:
    values = request.key.values(request.prepared.variables.coerced)
    return request.key.document, values, request.followed.stream, request.followed.choice, audience


async def _position(group: DurableGroup | VolatileGroup, newcomer: _Newcomer) -> int:
    if isinstance(group, VolatileGroup):
        return 0
    if newcomer.after is not None:
        return await group.position_of(newcomer.after)
    return group.position if newcomer.since is None else await group.position_at(newcomer.since)

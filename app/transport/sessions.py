"""How long a connection that stays open may act for its session."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Final, Protocol
from uuid import UUID

import msgspec
import structlog

from app.domains.accounts.model import SESSIONS_STREAM, Viewer
from app.domains.tenancy.tenants.model.tenants import Tenancy
from app.engine.streams.model import EndReason
from app.kit.clock import Clock
from app.kit.errors import Code, Problem, ResyncRequired
from app.kit.hub import Hub, Listener
from app.kit.tasks import end

REMEMBERED_S: Final = 60.0
"""How long an ended session is remembered, for callers who were authenticated just before it ended."""

UNSURE_S: Final = 30.0
"""Connections are closed when it has been unknown for this long whether their sessions are active."""

_CHECK_EVERY_S: Final = 5.0
_RETRY_S: Final = 0.5
_WARNED_SHARE: Final = 1 / 3

log = structlog.get_logger(__name__)


class Ending(Enum):
    """Why a connection can no longer act for its session."""

    EXPIRED = "The session has expired."
    ENDED = "The session was ended."
    UNSURE = "The session cannot be verified at the moment. Connect again."

    @property
    def reason(self) -> EndReason:
        """The reason why subscriptions of the connection end."""
        return _REASONS[self]

    @property
    def code(self) -> Code:
        """The code of the error that the client sees."""
        return Code.MAINTENANCE if self is Ending.UNSURE else Code.UNAUTHENTICATED


_REASONS: Final = {
    Ending.EXPIRED: EndReason.SESSION_EXPIRED,
    Ending.ENDED: EndReason.SESSION_ENDED,
    Ending.UNSURE: EndReason.SESSION_UNVERIFIED,
}


class Watching(Protocol):
    """A connection that lives as long as its session."""

    def ended(self, ending: Ending) -> None:
        """The session is over. Called at most once."""
        ...


Expiries = Callable[[Sequence[UUID]], Awaitable[Mapping[UUID, datetime]]]
"""When the access tokens of these sessions end, or secrets of API keys, or memberships, which do not expire; what has
ended is missing. Raises Unavailable.
"""


class SessionWatch:
    """Follows the ends of all sessions, once per process, and notifies the watchers of each session. A membership in a
    tenant, and a secret of an API key, are watched as a session is.
    """

    def __init__(
        self, hub: Hub, expiries: Expiries, clock: Clock, over: Callable[[UUID], None] = lambda _: None
    ) -> None:
        """`over` hears of each end."""
        self._hub = hub
        self._over = over
        self._clock = clock
        self._expiries = expiries
        self._watching: dict[UUID, list[Watching]] = {}
        self._ended: dict[UUID, float] = {}
        self._wake = asyncio.Event()
        self._sure_at = 0.0
        self._check_until = 0.0
        self._task: asyncio.Task[None] | None = None

    @property
    def watching(self) -> int:
        """How many watch."""
        return sum(map(len, self._watching.values()))

    async def start(self) -> None:
        """Begins to follow. Nothing can be watched before. Raises Unavailable."""
        listener = await self._listen()
        self._sure_at = time.monotonic()
        self._task = asyncio.create_task(self._follow(listener))

    async def stop(self) -> None:
        """Follows no more."""
        if self._task is not None:
            await end(self._task)

    def watch(self, session_id: UUID, watcher: Watching) -> bool:
        """Whether the session is active; if so, the watcher is notified when it ends.

        One that was authenticated within the last minute has missed nothing.
        """
        if session_id in self._ended:
            return False
        self._watching.setdefault(session_id, []).append(watcher)
        return True

    def unwatch(self, session_id: UUID, watcher: Watching) -> None:
        """The watcher is not notified any more."""
        watchers = self._watching.get(session_id, [])
        if watcher in watchers:
            watchers.remove(watcher)
            if not watchers:
                del self._watching[session_id]

    async def expiry_of(self, session_id: UUID) -> datetime | None:
        """When the session's present access token ends; None for a session that is over. Raises Unavailable."""
        return (await self._expiries([session_id])).get(session_id)

    def seconds_until(self, moment: datetime) -> float:
        """Seconds that are left, by the clock that sessions are stamped by; negative when it has passed."""
        return (moment - self._clock.now()).total_seconds()

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Calls back when so much time has passed."""
        return asyncio.get_running_loop().call_later(delay_s, callback)

    async def _listen(self) -> Listener:
        return await self._hub.listen(SESSIONS_STREAM, self._wake.set)

    async def _follow(self, listener: Listener) -> None:
        try:
            while True:
                try:
                    await self._read(listener)
                except ResyncRequired:
                    listener.close()
                    listener = await self._begin_anew()
        finally:
            listener.close()

    async def _read(self, listener: Listener) -> None:
        """Reads for ever. Raises ResyncRequired where something cannot be read any more."""
        while True:
            self._wake.clear()
            try:
                while events := await listener.take():
                    for event in events:
                        self._end(UUID(event.payload["session_id"]))
                # A stream without events looks the same as one that cannot be read.
                await self._hub.top(SESSIONS_STREAM)
                if time.monotonic() < self._check_until:
                    await self._check_all()
                self._sure_at = time.monotonic()
            except ResyncRequired:
                raise
            except Exception as error:
                await self._verification_failed(error)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CHECK_EVERY_S):
                    await self._wake.wait()

    async def _begin_anew(self) -> Listener:
        """Follows new events. For a while all sessions are checked, because the end of one may have been missed."""
        while True:
            try:
                listener = await self._listen()
            except Exception as error:
                await self._verification_failed(error)
            else:
                self._check_until = time.monotonic() + REMEMBERED_S
                return listener

    async def _check_all(self) -> None:
        asked = list(self._watching)
        living = await self._expiries(asked)
        for session_id in set(asked) - living.keys():
            self._end(session_id)

    async def _verification_failed(self, error: Exception) -> None:
        """Waits briefly, and ends connections whose sessions could not be verified for too long."""
        if isinstance(error, Problem):
            log.warning("sessions.unverified", error=error.message)
        else:
            log.error("sessions.failed", exc_info=error)
        if time.monotonic() - self._sure_at > UNSURE_S:
            for session_id in list(self._watching):
                self._notify(session_id, Ending.UNSURE)
        await asyncio.sleep(_RETRY_S)

    def _end(self, session_id: UUID) -> None:
        now = time.monotonic()
        for known, at in list(self._ended.items()):
            if now - at < REMEMBERED_S:
                break
            del self._ended[known]
        self._ended[session_id] = now
        self._over(session_id)
        self._notify(session_id, Ending.ENDED)

    def _notify(self, session_id: UUID, ending: Ending) -> None:
        for watcher in self._watching.pop(session_id, []):
            watcher.ended(ending)


class Lease:
    """One connection's lease on a session, and on a membership in a tenant, or on an API key: it reports when one of
    them is over, and continues when the session is renewed.

    A session is renewed over HTTP, with its refresh token. So before a lease reports that its session has
    expired, it checks whether that has happened.
    """

    __slots__ = ("_again", "_checking", "_over", "_timer", "_warn", "_warning_s", "_watch", "_watched", "viewer")

    def __init__(
        self,
        watch: SessionWatch,
        over: Callable[[Ending], None],
        *,
        warning_s: float = 0.0,
        warn: Callable[[datetime], None] | None = None,
    ) -> None:
        """`warn` is called `warning_s` before the session expires, at most a third of the time that it has left."""
        self._watch = watch
        self._over = over
        self._warning_s = warning_s
        self._warn = warn
        self._timer: asyncio.TimerHandle | None = None
        self._checking: asyncio.Task[None] | None = None
        self._again = False
        self._watched: tuple[UUID, ...] = ()
        self.viewer: Viewer | None = None

    def take(self, viewer: Viewer | None, tenancy: Tenancy | None = None) -> bool:
        """Holds this viewer's session, and their membership in a tenant, or an API key, in place of any before; False:
        one of these is over already.
        """
        self.close()
        expires_at = None if viewer is None else viewer.expires_at
        if tenancy is not None and tenancy.key is not None:
            expires_at = tenancy.key.expires_at
        if expires_at is not None and self._watch.seconds_until(expires_at) <= 0:
            return False
        for id in (*([] if viewer is None else [viewer.session_id]), *([] if tenancy is None else [tenancy.held_by])):
            if not self._watch.watch(id, self):
                self.close()
                return False
            self._watched += (id,)
        self.viewer = viewer
        if viewer is not None:
            self._schedule(viewer)
        elif expires_at is not None:
            # The expiry of a key does not move.
            left_s = self._watch.seconds_until(expires_at)
            self._timer = self._watch.call_later(left_s, lambda: self.ended(Ending.EXPIRED))
        return True

    def ended(self, ending: Ending) -> None:
        """The session is over."""
        self.close()
        self._over(ending)

    def recheck(self) -> None:
        """Checks whether the session was renewed. Several claims in a row share one check.

        No claim can cancel the check at the end of the session, or the one that precedes the warning.
        """
        if self._checking is not None:
            # It may have read the row before the renewal.
            self._again = True
        elif self.viewer is not None:
            self._begin_check(at_end=False, warn=False)

    def close(self) -> None:
        """Stops reporting."""
        if self._timer is not None:
            self._timer.cancel()
        if self._checking is not None:
            self._checking.cancel()
        for id in self._watched:
            self._watch.unwatch(id, self)
        self._watched = ()
        self.viewer = self._timer = self._checking = None
        self._again = False

    def _schedule(self, viewer: Viewer) -> None:
        left_s = self._watch.seconds_until(viewer.expires_at)
        before_s = min(self._warning_s, left_s * _WARNED_SHARE) if self._warn is not None else 0.0
        self._call_later(left_s - before_s, at_end=before_s == 0.0)

    def _call_later(self, delay_s: float, *, at_end: bool) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._watch.call_later(max(0.0, delay_s), lambda: self._begin_check(at_end=at_end, warn=True))

    def _begin_check(self, *, at_end: bool, warn: bool) -> None:
        if self._checking is not None:
            self._checking.cancel()
        self._again = False
        self._checking = asyncio.create_task(self._check(at_end=at_end, warn=warn))

    async def _check(self, *, at_end: bool, warn: bool) -> None:
        viewer = self.viewer
        if viewer is None:
            return
        left_s = self._watch.seconds_until(viewer.expires_at)
        try:
            async with asyncio.timeout(max(_RETRY_S, left_s)):
                expires_at = await self._watch.expiry_of(viewer.session_id)
        except Exception as error:
            # Before the session expires, a later check may succeed; at its end it must be known to be active.
            if not isinstance(error, TimeoutError | Problem):
                log.exception("sessions.check_failed")
            expires_at = viewer.expires_at
        self._checking = None
        if expires_at is None:
            self.ended(Ending.ENDED)
        elif expires_at > viewer.expires_at:
            self.viewer = msgspec.structs.replace(viewer, expires_at=expires_at)
            self._schedule(self.viewer)
        elif at_end:
            self.ended(Ending.EXPIRED)
        elif warn:
            self._call_later(self._watch.seconds_until(viewer.expires_at), at_end=True)
            if self._warn is not None:
                self._warn(viewer.expires_at)
        if self._again:
            self.recheck()

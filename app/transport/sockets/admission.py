"""How many sockets there may be, and how fast they may come."""

import time
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, TypeAlias
from uuid import UUID

from app.kit.errors import Code
from app.settings import Settings
from app.transport.metrics import Metrics
from app.transport.refusals import RETRY_AFTER_S, Refused
from app.transport.runtime import Caller
from app.transport.sockets.protocol import CloseCode, Closing

Place: TypeAlias = UUID | str
"""On whose account a socket is open: a user's, or an address's where nobody is logged in."""

_STOPPING: Final = "The server is stopping. Connect again."
_TOO_FAST: Final = "Too many sockets are opened at this moment. Connect again."


class TokenBucket:
    """So many a second, and as many at once after a quiet second."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._left = rate
        self._at = clock()

    def take(self) -> bool:
        """Whether there is one left; it is spent then."""
        now = self._clock()
        self._left = min(self._rate, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Admission:
    """Counts sockets, and turns away those that are too many. Clients come back by themselves."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._viewer_limit = settings.socket_viewer_limit
        self._address_limit = settings.socket_address_limit
        self._bucket = TokenBucket(settings.socket_accept_rate)
        self._metrics = metrics
        self._open: Counter[Place] = Counter()
        self._stopping = False

    def knock(self) -> None:
        """Asks for a handshake. Raises Refused, 503, when too many come at once or the server stops."""
        if self._stopping:
            raise self._refused("stopping", _STOPPING)
        if not self._bucket.take():
            raise self._refused("rate", _TOO_FAST)

    def enter(self, caller: Caller) -> Place | None:
        """The place of a socket whose caller is known; None for one that came without an address.

        Raises Closing, retryable, when this caller has too many.
        """
        place: Place | None = caller.client.ip if caller.viewer is None else caller.viewer.user_id
        if place is None:
            return None
        limit = self._address_limit if caller.viewer is None else self._viewer_limit
        if self._open.get(place, 0) >= limit:
            reason, whose = ("address", "Your address has") if caller.viewer is None else ("viewer", "You have")
            self._metrics.socket_refused(reason)
            raise Closing(
                CloseCode.TRY_AGAIN_LATER, f"{whose} as many sockets open as may be, {limit}: use one of them."
            )
        self._open[place] += 1
        return place

    def leave(self, place: Place) -> None:
        """Gives a place back."""
        self._open[place] -= 1
        if not self._open[place]:
            del self._open[place]

    def stop(self) -> None:
        """Turns everybody away from here on."""
        self._stopping = True

    def _refused(self, reason: str, message: str) -> Refused:
        self._metrics.socket_refused(reason)
        return Refused(
            message,
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            code=Code.MAINTENANCE if reason == "stopping" else Code.RATE_LIMITED,
            headers={"retry-after": str(RETRY_AFTER_S)},
        )

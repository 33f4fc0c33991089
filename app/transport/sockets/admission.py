"""How many sockets there may be, and how fast they may come."""

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from app.kit.errors import Code
from app.settings import Settings
from app.transport.metrics import Metrics
from app.transport.places import Place, Places
from app.transport.refusals import RETRY_AFTER_S, Refused
from app.transport.runtime import Caller
from app.transport.sockets.protocol import CloseCode, Closing

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
        self._places = Places(settings, "sockets")
        self._bucket = TokenBucket(settings.socket_accept_rate)
        self._metrics = metrics
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
        try:
            return self._places.take(caller.viewer, caller.client)
        except Refused as refused:
            self._metrics.socket_refused("address" if caller.viewer is None else "viewer")
            raise Closing(CloseCode.TRY_AGAIN_LATER, refused.message) from refused

    def leave(self, place: Place) -> None:
        """Gives a place back."""
        self._places.give_back(place)

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

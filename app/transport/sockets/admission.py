"""How many sockets may be open, and how fast they may be opened."""

import time
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from app.domains.accounts.model import Client
from app.kit.addresses import source_of
from app.kit.errors import Code
from app.settings import Settings
from app.transport.connection_limits import ConnectionKey, ConnectionLimits
from app.transport.metrics import Metrics
from app.transport.refusals import RETRY_AFTER_S, Refused
from app.transport.runtime import Caller
from app.transport.sockets.protocol import CloseCode, Closing

ADDRESSES: Final = 4096
"""How many addresses are remembered."""

_STOPPING: Final = "The server is stopping. Connect again."
_TOO_FAST: Final = "Too many sockets are opened at this moment. Connect again."


class TokenBucket:
    """A token bucket: `rate` tokens a second, and at most as many at once."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._left = rate
        self._at = clock()

    def take(self) -> bool:
        """Takes a token. Returns False when there is none."""
        now = self._clock()
        self._left = min(self._rate, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class AddressBuckets:
    """A bucket for each of the most recent addresses. Their number is bounded, even if a caller invents addresses."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, source: str) -> bool:
        """Takes a token of this address. Returns False when there is none."""
        bucket = self._buckets.setdefault(source, TokenBucket(self._rate, self._clock))
        self._buckets.move_to_end(source)
        if len(self._buckets) > ADDRESSES:
            self._buckets.popitem(last=False)
        return bucket.take()


class SocketAdmission:
    """Counts sockets, and refuses those beyond the limits. Clients reconnect by themselves."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._connections = ConnectionLimits(settings, "sockets")
        self._waiting = ConnectionLimits(settings, "sockets without a connection_init")
        self._bucket = TokenBucket(settings.socket_accept_rate)
        self._addresses = AddressBuckets(settings.socket_address_accept_rate)
        self._metrics = metrics
        self._stopping = False

    def admit(self, client: Client) -> ConnectionKey | None:
        """Admits a handshake. Returns the key under which the socket waits for its `connection_init`.

        Raises Refused, 503 or 429, when too many come at once or wait, or the server stops.
        """
        if self._stopping:
            raise self._refused("stopping", _STOPPING)
        source = source_of(client.ip)
        # First, so that one busy address uses up no tokens of the others.
        if source is not None and not self._addresses.take(source):
            raise self._refused("address_rate", _TOO_FAST)
        if not self._bucket.take():
            raise self._refused("rate", _TOO_FAST)
        try:
            return self._waiting.acquire(None, client)
        except Refused as refused:
            self._metrics.socket_refused("waiting")
            refused.headers["retry-after"] = str(RETRY_AFTER_S)
            raise

    def release_waiting(self, key: ConnectionKey | None) -> None:
        """The socket has been initialised, or has ended: it no longer waits."""
        self._waiting.release(key)

    def acquire(self, caller: Caller) -> ConnectionKey | None:
        """Counts a socket whose caller is known, and returns its key; None for one that came without an address.

        Raises Closing, retryable, when this caller has too many.
        """
        try:
            return self._connections.acquire(caller.viewer, caller.client)
        except Refused as refused:
            self._metrics.socket_refused("address" if caller.viewer is None else "viewer")
            raise Closing(CloseCode.TRY_AGAIN_LATER, refused.message) from refused

    def release(self, key: ConnectionKey) -> None:
        """Stops counting a socket that has ended."""
        self._connections.release(key)

    def stop(self) -> None:
        """Refuses every socket from here on."""
        self._stopping = True

    def _refused(self, reason: str, message: str) -> Refused:
        self._metrics.socket_refused(reason)
        return Refused(
            message,
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            code=Code.MAINTENANCE if reason == "stopping" else Code.RATE_LIMITED,
            headers={"retry-after": str(RETRY_AFTER_S)},
        )

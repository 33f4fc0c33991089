"""How many long-lived connections one caller may have."""

from collections import Counter
from http import HTTPStatus
from typing import TypeAlias
from uuid import UUID

from app.domains.accounts.model import Client, Viewer
from app.kit.addresses import source_of
from app.kit.errors import Code
from app.settings import Settings
from app.transport.refusals import Refused

ConnectionKey: TypeAlias = UUID | str
"""What a connection counts against: the user, or the address of an anonymous caller."""


class ConnectionLimits:
    """Counts connections of one kind: per user, and per address for anonymous ones."""

    def __init__(self, settings: Settings, what: str) -> None:
        """`what` names the connections, in the plural, in the message of a refusal."""
        self._viewer_limit = settings.socket_viewer_limit
        self._address_limit = settings.socket_address_limit
        self._what = what
        self._open: Counter[ConnectionKey] = Counter()

    def acquire(self, viewer: Viewer | None, client: Client) -> ConnectionKey | None:
        """The key that a connection counts under, to be released; None for one that came without an address.

        Raises Refused, 429, when this caller has too many.
        """
        key: ConnectionKey | None = source_of(client.ip) if viewer is None else viewer.user_id
        if key is None:
            return None
        limit = self._address_limit if viewer is None else self._viewer_limit
        if self._open.get(key, 0) >= limit:
            whose = "Your address has" if viewer is None else "You have"
            raise Refused(
                f"{whose} as many {self._what} open as may be, {limit}: use one of them.",
                status=HTTPStatus.TOO_MANY_REQUESTS,
                code=Code.RATE_LIMITED,
            )
        self._open[key] += 1
        return key

    def release(self, key: ConnectionKey | None) -> None:
        """Stops counting a connection that has ended."""
        if key is not None:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]

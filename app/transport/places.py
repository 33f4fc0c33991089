"""How many connections that stay open one caller may have."""

from collections import Counter
from http import HTTPStatus
from typing import TypeAlias
from uuid import UUID

from app.domains.accounts.model import Client, Viewer
from app.domains.accounts.rules.identity import source_of
from app.kit.errors import Code
from app.settings import Settings
from app.transport.refusals import Refused

Place: TypeAlias = UUID | str
"""On whose account a connection is open: a user's, or an address's where nobody is logged in."""


class Places:
    """Counts connections of one kind, for each user and for each address of which anonymous ones come."""

    def __init__(self, settings: Settings, what: str) -> None:
        """`what` they are, in the plural, for whoever is refused."""
        self._viewer_limit = settings.socket_viewer_limit
        self._address_limit = settings.socket_address_limit
        self._what = what
        self._taken: Counter[Place] = Counter()

    def take(self, viewer: Viewer | None, client: Client) -> Place | None:
        """The place of a connection, to be given back; None for one that came without an address.

        Raises Refused, 429, when this caller has too many.
        """
        place: Place | None = source_of(client.ip) if viewer is None else viewer.user_id
        if place is None:
            return None
        limit = self._address_limit if viewer is None else self._viewer_limit
        if self._taken.get(place, 0) >= limit:
            whose = "Your address has" if viewer is None else "You have"
            raise Refused(
                f"{whose} as many {self._what} open as may be, {limit}: use one of them.",
                status=HTTPStatus.TOO_MANY_REQUESTS,
                code=Code.RATE_LIMITED,
            )
        self._taken[place] += 1
        return place

    def give_back(self, place: Place | None) -> None:
        """The connection is over."""
        if place is not None:
            self._taken[place] -= 1
            if not self._taken[place]:
                del self._taken[place]

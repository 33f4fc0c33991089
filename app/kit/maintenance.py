"""Whether Moneta is under maintenance, as this process knows it."""

import asyncio
from collections.abc import Callable

from app.kit.errors import UnderMaintenance


class MaintenanceSwitch:
    """Off until it is turned on. What follows it is called in the same turn of the event loop."""

    def __init__(self) -> None:
        self._notice: UnderMaintenance | None = None
        self._followers: list[Callable[[], None]] = []
        self._off = asyncio.Event()
        self._off.set()

    @property
    def is_on(self) -> bool:
        """Whether users are turned away."""
        return self._notice is not None

    @property
    def notice(self) -> UnderMaintenance | None:
        """What to answer a user with; null if it is off."""
        # An exception that is raised keeps its frames: a new one each time.
        notice = self._notice
        return None if notice is None else UnderMaintenance(notice.message, notice.retry_after_s)

    def turn_on(self, message: str | None, retry_after_s: int) -> None:
        """Turns it on; if it is on already, with another message."""
        was_on = self.is_on
        self._notice = UnderMaintenance(message, retry_after_s)
        self._off.clear()
        if not was_on:
            for follower in list(self._followers):
                follower()

    def turn_off(self) -> None:
        """Turns it off."""
        self._notice = None
        self._off.set()

    def follow(self, follower: Callable[[], None]) -> None:
        """Calls back each time when it has been turned on."""
        self._followers.append(follower)

    async def off(self) -> None:
        """Returns once it is off."""
        await self._off.wait()

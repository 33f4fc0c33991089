"""What waits to be sent on one socket: little, and not for long."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from app.transport.sockets.protocol import CloseCode, Closing

WAITING_FRAMES: Final = 32
"""Operations wait when so many frames wait; what they would send meanwhile waits in the hub, which is bounded too."""

DRAIN_S: Final = 10.0
"""A reader that takes nothing for so many seconds is let go."""


class Outgoing:
    """A bounded queue and the one task that empties it."""

    def __init__(self, send: Callable[[str], Awaitable[None]]) -> None:
        self._send = send
        self._frames: asyncio.Queue[str] = asyncio.Queue(WAITING_FRAMES)

    async def put(self, frame: str) -> None:
        """Queues a frame; waits while the reader is behind."""
        await self._frames.put(frame)

    async def run(self) -> None:
        """Sends for ever. Raises Closing, retryable, when the reader does not drain."""
        while True:
            frame = await self._frames.get()
            try:
                async with asyncio.timeout(DRAIN_S):
                    await self._send(frame)
            except TimeoutError as error:
                raise Closing(CloseCode.TRY_AGAIN_LATER, "You read too slowly. Subscribe again from there.") from error

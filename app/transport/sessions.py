"""How long a connection that stays open may act for its session."""

import asyncio
import contextlib
from datetime import UTC, datetime

from app.domains.accounts.model import Viewer
from app.kit.hub import Hub

EXPIRED = "The session has expired."
ENDED = "The session was ended."


def session_stream(viewer: Viewer) -> str:
    """The event stream on which the end of a session is told; any fact there ends it."""
    return f"session:{viewer.session_id}"


async def wait_for_end(hub: Hub, viewer: Viewer, *, watching: asyncio.Event | None = None) -> str:
    """Returns when the session expires or is revoked, and says which. Raises Unavailable.

    `watching` is set once no revocation can be missed any more: whoever was authenticated before that asks again.
    """
    try:
        async with (
            asyncio.timeout((viewer.expires_at - datetime.now(UTC)).total_seconds()),
            hub.listen(session_stream(viewer)) as listener,
        ):
            if watching is not None:
                watching.set()
            async with contextlib.aclosing(aiter(listener)) as facts:
                await anext(facts)
        return ENDED
    except TimeoutError:
        return EXPIRED

"""What workers do for leaderboards."""

import asyncio
from typing import Final

import structlog

from app.domains.campaigns.leaderboards.services import Leaderboards
from app.kit.errors import Unavailable
from app.kit.tasks import heed_cancellation

ANNOUNCE_EVERY_S: Final = 1.0

log = structlog.get_logger(__name__)


async def announcing_leaderboards(leaderboards: Leaderboards) -> None:
    """Announces which leaderboards have changed, once a second, until cancelled. Of several workers each takes what
    another has not. Losing Postgres or Redis only delays.
    """
    while True:
        try:
            await leaderboards.announce()
        except Unavailable as problem:
            log.warning("leaderboards.waiting", reason=problem.message)
        except Exception:
            log.exception("leaderboards.failed")
        heed_cancellation()
        await asyncio.sleep(ANNOUNCE_EVERY_S)

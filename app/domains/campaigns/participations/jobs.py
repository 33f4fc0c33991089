"""What workers do for participations."""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from app.domains.campaigns.participations.services.points import LEVEL_JOB, Points
from app.kit.errors import Unavailable
from app.kit.jobs import Job
from app.kit.tasks import heed_cancellation

ANNOUNCE_EVERY_S: Final = 1.0

log = structlog.get_logger(__name__)


def participation_jobs(points: Points) -> Sequence[Job]:
    """What `Points` enqueues."""
    return [Job(LEVEL_JOB, points.level)]


async def announcing(points: Points) -> None:
    """Announces what was counted of projects, once a second, until cancelled. Of several workers each takes what
    another has not. Losing Postgres only delays.
    """
    while True:
        try:
            await points.announce()
        except Unavailable as problem:
            log.warning("counts.waiting", reason=problem.message)
        except Exception:
            log.exception("counts.failed")
        heed_cancellation()
        await asyncio.sleep(ANNOUNCE_EVERY_S)

"""What workers do for participations."""

from collections.abc import Sequence
from typing import Final

from app.domains.campaigns.participations.services.points import LEVEL_JOB, Points
from app.kit.jobs import Job
from app.kit.tasks import repeat

ANNOUNCE_EVERY_S: Final = 1.0


def participation_jobs(points: Points) -> Sequence[Job]:
    """What `Points` enqueues."""
    return [Job(LEVEL_JOB, points.level)]


async def announcing(points: Points) -> None:
    """Announces what was counted of projects, once a second, until cancelled. Of several workers each takes what
    another has not. Losing Postgres only delays.
    """
    await repeat(points.announce, every_s=ANNOUNCE_EVERY_S, name="counts")

"""What workers do about what happens in projects."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from app.domains.campaigns.analytics.model import REDACT_ARCHIVES
from app.domains.campaigns.analytics.services.archives import Archives
from app.domains.campaigns.analytics.services.events import ProjectEvents
from app.domains.campaigns.analytics.services.statistics import Statistics
from app.kit.jobs import Job, Schedule
from app.kit.tasks import repeat

COUNT_EVERY_S: Final = 2.0
"""Who reads statistics counts what is not counted yet: of a minute of many events that takes half a second."""


async def counting(statistics: Statistics) -> None:
    """Counts what happens in projects, every few seconds, until cancelled. One of several workers at a time does.
    Losing Postgres only delays.
    """
    await repeat(statistics.count, every_s=COUNT_EVERY_S, name="statistics")


def analytics_jobs(archives: Archives) -> Sequence[Job]:
    """Taking participants out of archives. Who erases some enqueues it: their tenant, mode and IDs."""

    async def redact(payload: dict[str, Any]) -> None:
        participants = [UUID(each) for each in payload["participant_ids"]]
        await archives.redact(UUID(payload["tenant_id"]), participants, livemode=payload["livemode"])

    return [Job(REDACT_ARCHIVES, redact)]


def analytics_schedules(events: ProjectEvents, statistics: Statistics, archives: Archives) -> Sequence[Schedule]:
    """Forgetting who was active and where events came from, and writing old months into files."""
    return [
        Schedule(
            "project-activity",
            "35 3 * * *",
            "Removes who was active in projects, once that time is counted",
            statistics.forget,
        ),
        Schedule(
            "project-event-origins",
            "25 3 * * *",
            "Empties the IP addresses and user agents of events of projects after 90 days",
            events.empty_origins,
        ),
        Schedule(
            "project-event-archives",
            "15 4 * * *",
            "Writes events of projects that are older than a year into files, and drops them",
            archives.archive,
        ),
    ]

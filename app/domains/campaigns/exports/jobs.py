"""The jobs and schedules of exports."""

from collections.abc import Sequence

from app.domains.campaigns.exports.services.exporter import Exporter
from app.domains.campaigns.exports.services.exports import EXPORT_JOB, Exports
from app.kit.jobs import Job, Schedule


def export_jobs(exporter: Exporter) -> Sequence[Job]:
    """What `Exports` enqueues."""
    return [Job(EXPORT_JOB, exporter.run)]


def export_schedules(exports: Exports) -> Sequence[Schedule]:
    """What is not kept for ever."""
    return [
        Schedule("expired-exports", "*/10 * * * *", "Deletes files of exports after a day", exports.expire),
        Schedule("old-exports", "40 3 * * *", "Deletes exports after 90 days", exports.delete_old),
    ]

"""The jobs and schedules of imports."""

from collections.abc import Sequence

from app.domains.campaigns.imports.services.importer import Importer
from app.domains.campaigns.imports.services.imports import IMPORT_JOB, Imports
from app.kit.jobs import Job, Schedule


def import_jobs(importer: Importer) -> Sequence[Job]:
    """What `Imports` enqueues."""
    return [Job(IMPORT_JOB, importer.run)]


def import_schedules(imports: Imports) -> Sequence[Schedule]:
    """What is not kept for ever."""
    return [Schedule("old-imports", "35 3 * * *", "Deletes imports after 90 days", imports.delete_old)]

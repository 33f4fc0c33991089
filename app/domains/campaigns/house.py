"""The house of campaigns: projects of tenants, their tasks, and who takes part."""

from collections.abc import Coroutine, Sequence
from typing import Any

from app.domains.accounts.house import ACCOUNTS
from app.domains.campaigns.analytics import loaders as analytics_loaders
from app.domains.campaigns.analytics.jobs import analytics_jobs, analytics_schedules, counting
from app.domains.campaigns.consistency.counters import COUNTERS
from app.domains.campaigns.exports import loaders as export_loaders
from app.domains.campaigns.exports.jobs import export_jobs, export_schedules
from app.domains.campaigns.files.jobs import file_schedules
from app.domains.campaigns.imports import loaders as import_loaders
from app.domains.campaigns.imports.jobs import import_jobs, import_schedules
from app.domains.campaigns.leaderboards import loaders as leaderboard_loaders
from app.domains.campaigns.leaderboards.jobs import announcing_leaderboards
from app.domains.campaigns.participants import loaders as participant_loaders
from app.domains.campaigns.participants.jobs import participant_schedules
from app.domains.campaigns.participations import loaders as participation_loaders
from app.domains.campaigns.participations.jobs import announcing, participation_jobs
from app.domains.campaigns.projects import loaders as project_loaders
from app.domains.campaigns.services import CampaignsServices
from app.domains.campaigns.tasks import loaders as task_loaders
from app.domains.ledger.house import LEDGER
from app.domains.system.house import SYSTEM
from app.domains.tenancy.house import TENANCY
from app.kit.house import House, Wiring
from app.kit.jobs import Job, Schedule


async def _tasks(_: Wiring, services: CampaignsServices) -> list[Coroutine[Any, Any, None]]:
    return [
        announcing(services.points),
        announcing_leaderboards(services.leaderboards),
        counting(services.statistics),
    ]


def _jobs(services: CampaignsServices) -> Sequence[Job]:
    return [
        *import_jobs(services.importer),
        *export_jobs(services.exporter),
        *participation_jobs(services.points),
        *analytics_jobs(services.archives),
    ]


def _schedules(services: CampaignsServices) -> Sequence[Schedule]:
    return [
        *participant_schedules(services.proofs, services.links),
        *file_schedules(services.files),
        *import_schedules(services.imports),
        *export_schedules(services.exports),
        *analytics_schedules(services.events, services.statistics, services.archives),
    ]


CAMPAIGNS = House(
    name="campaigns",
    build=CampaignsServices.build,
    services=CampaignsServices,
    knows=(LEDGER, TENANCY, SYSTEM, ACCOUNTS),
    loaders=(
        project_loaders,
        participant_loaders,
        import_loaders,
        export_loaders,
        participation_loaders,
        task_loaders,
        analytics_loaders,
        leaderboard_loaders,
    ),
    jobs=_jobs,
    tasks=_tasks,
    schedules=_schedules,
    counters=COUNTERS,
)

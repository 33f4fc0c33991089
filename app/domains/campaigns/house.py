"""The house of campaigns: projects of tenants, their tasks, and who takes part."""

from collections.abc import Coroutine
from typing import Any

from app.domains.accounts.house import ACCOUNTS
from app.domains.campaigns.analytics import loaders as analytics_loaders
from app.domains.campaigns.analytics.jobs import analytics_jobs, analytics_schedules
from app.domains.campaigns.consistency.counters import COUNTERS
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
from app.domains.tenancy.house import TENANCY
from app.kit.house import House, Wiring


async def _tasks(_: Wiring, services: CampaignsServices) -> list[Coroutine[Any, Any, None]]:
    return [announcing(services.points), announcing_leaderboards(services.leaderboards)]


CAMPAIGNS = House(
    name="campaigns",
    build=CampaignsServices.build,
    services=CampaignsServices,
    knows=(LEDGER, TENANCY, ACCOUNTS),
    loaders=(
        project_loaders,
        participant_loaders,
        participation_loaders,
        task_loaders,
        analytics_loaders,
        leaderboard_loaders,
    ),
    jobs=lambda services: [*participation_jobs(services.points), *analytics_jobs(services.archives)],
    tasks=_tasks,
    schedules=lambda services: [
        *participant_schedules(services.proofs),
        *analytics_schedules(services.events, services.statistics, services.archives),
    ],
    counters=COUNTERS,
)

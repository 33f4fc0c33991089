"""The house of campaigns: projects of tenants, and who takes part."""

from collections.abc import Sequence

from app.domains.accounts.house import ACCOUNTS
from app.domains.campaigns.exports import loaders as export_loaders
from app.domains.campaigns.exports.jobs import export_jobs, export_schedules
from app.domains.campaigns.files.jobs import file_schedules
from app.domains.campaigns.imports import loaders as import_loaders
from app.domains.campaigns.imports.jobs import import_jobs, import_schedules
from app.domains.campaigns.participants import loaders as participant_loaders
from app.domains.campaigns.participants.jobs import participant_schedules
from app.domains.campaigns.projects import loaders as project_loaders
from app.domains.campaigns.services import CampaignsServices
from app.domains.system.house import SYSTEM
from app.domains.tenancy.house import TENANCY
from app.kit.house import House
from app.kit.jobs import Job, Schedule


def _jobs(services: CampaignsServices) -> Sequence[Job]:
    return [*import_jobs(services.importer), *export_jobs(services.exporter)]


def _schedules(services: CampaignsServices) -> Sequence[Schedule]:
    return [
        *participant_schedules(services.proofs, services.links),
        *file_schedules(services.files),
        *import_schedules(services.imports),
        *export_schedules(services.exports),
    ]


CAMPAIGNS = House(
    name="campaigns",
    build=CampaignsServices.build,
    services=CampaignsServices,
    knows=(TENANCY, SYSTEM, ACCOUNTS),
    loaders=(project_loaders, participant_loaders, import_loaders, export_loaders),
    jobs=_jobs,
    schedules=_schedules,
)

"""The house of campaigns: projects of tenants, and who takes part."""

from app.domains.accounts.house import ACCOUNTS
from app.domains.campaigns.participants import loaders as participant_loaders
from app.domains.campaigns.participants.jobs import participant_schedules
from app.domains.campaigns.participations import loaders as participation_loaders
from app.domains.campaigns.projects import loaders as project_loaders
from app.domains.campaigns.services import CampaignsServices
from app.domains.campaigns.tasks import loaders as task_loaders
from app.domains.tenancy.house import TENANCY
from app.kit.house import House

CAMPAIGNS = House(
    name="campaigns",
    build=CampaignsServices.build,
    services=CampaignsServices,
    knows=(TENANCY, ACCOUNTS),
    loaders=(project_loaders, participant_loaders, participation_loaders, task_loaders),
    schedules=lambda services: participant_schedules(services.proofs),
)

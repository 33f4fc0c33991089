"""The house of tenancy: tenants, and who acts in one."""

from app.domains.accounts.house import ACCOUNTS
from app.domains.system.house import SYSTEM
from app.domains.tenancy.api_keys import loaders as key_loaders
from app.domains.tenancy.api_keys.counters import COUNTERS
from app.domains.tenancy.api_keys.jobs import api_key_schedules
from app.domains.tenancy.services import TenancyServices
from app.domains.tenancy.tenants import loaders
from app.domains.tenancy.tenants.jobs import tenant_schedules
from app.kit.house import House

TENANCY = House(
    name="tenancy",
    build=TenancyServices.build,
    services=TenancyServices,
    knows=(ACCOUNTS, SYSTEM),
    loaders=(loaders, key_loaders),
    schedules=lambda services: [
        *tenant_schedules(services.tenants, services.members),
        *api_key_schedules(services.api_keys),
    ],
    stop=TenancyServices.stop,
    counters=COUNTERS,
)

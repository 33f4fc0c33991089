"""The services of tenancy."""

from dataclasses import dataclass
from typing import Self

from app.domains.accounts.services import AccountsServices
from app.domains.tenancy.tenants.services.access import Access
from app.domains.tenancy.tenants.services.members import Members
from app.domains.tenancy.tenants.services.tenants import Tenants
from app.kit.house import Wiring


@dataclass(frozen=True)
class TenancyServices:
    """Every service of tenancy."""

    access: Access
    tenants: Tenants
    members: Members

    @classmethod
    def build(cls, wiring: Wiring) -> Self:
        """Wires them."""
        resources = wiring.resources
        database, clock, events = resources.database, resources.clock, resources.events
        access = Access(database)
        mail_queue = wiring.services[AccountsServices].mail_queue
        return cls(
            access=access,
            tenants=Tenants(database, clock, events, access, resources.settings.tenant_limit),
            members=Members(database, clock, events, access, mail_queue),
        )

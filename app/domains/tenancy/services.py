"""The services of tenancy."""

from dataclasses import dataclass
from typing import Self

from app.domains.accounts.services import AccountsServices
from app.domains.system.services import SystemServices
from app.domains.tenancy.api_keys.services.calls import Calls
from app.domains.tenancy.api_keys.services.keys import ApiKeys
from app.domains.tenancy.api_keys.services.known_keys import KnownKeys
from app.domains.tenancy.tenants.services.access import Access
from app.domains.tenancy.tenants.services.members import Members
from app.domains.tenancy.tenants.services.tenants import Tenants
from app.kit.crypto.local import derive
from app.kit.house import Wiring
from app.kit.quotas import Quotas


@dataclass(frozen=True)
class TenancyServices:
    """Every service of tenancy."""

    access: Access
    tenants: Tenants
    members: Members
    api_keys: ApiKeys
    calls: Calls

    @classmethod
    def build(cls, wiring: Wiring) -> Self:
        """Wires them."""
        resources = wiring.resources
        database, clock, events = resources.database, resources.clock, resources.events
        access = Access(database, clock)
        calls = Calls(database, clock, Quotas(resources.redis, clock), wiring.services[SystemServices].cache)
        known = KnownKeys(database, clock)
        mail_queue = wiring.services[AccountsServices].mail_queue
        return cls(
            access=access,
            tenants=Tenants(database, clock, events, access, resources.settings.tenant_limit, known.forget_tenant),
            members=Members(database, clock, events, access, mail_queue),
            api_keys=ApiKeys(database, clock, events, access, calls, known, derive(resources.secret, "api keys")),
            calls=calls,
        )

    async def stop(self) -> None:
        """Ends what is under way in this process."""
        await self.calls.stop()

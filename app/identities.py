"""Who calls: asked of the houses of accounts and tenancy, which do not know of requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from app.domains.accounts.model import Client, Viewer
from app.domains.accounts.services import AccountsServices
from app.domains.accounts.services.sessions import Sessions
from app.domains.tenancy.services import TenancyServices
from app.domains.tenancy.tenants.model.tenants import Tenancy
from app.kit.addresses import source_of
from app.kit.house import Services
from app.kit.work import Work, working

NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Identities:
    """Finds out who calls, and until when that is so."""

    sessions: Sessions
    tenancy: TenancyServices

    @classmethod
    def of(cls, services: Services) -> "Identities":
        """Asks these services."""
        return cls(services[AccountsServices].sessions, services[TenancyServices])

    async def authenticate(self, token: str, client: Client) -> Viewer | None:
        """Who bears this access token. The lookup queues for the database with all others from the same address."""
        with working(Work(source_of(client.ip))):
            return await self.sessions.authenticate(token, client)

    async def tenancy_of(self, viewer: Viewer, slug: str) -> Tenancy | None:
        """The part of a viewer in the tenant with a slug. None: it is none of theirs."""
        with working(Work(viewer.user_id)):
            return await self.tenancy.access.tenancy(viewer.user_id, slug, viewer.client)

    async def expiries(self, ids: Sequence[UUID]) -> dict[UUID, datetime]:
        """When these sessions end, or memberships, which do not expire; what has ended is missing."""
        sessions = await self.sessions.expiries(ids)
        members = await self.tenancy.members.living([id for id in ids if id not in sessions])
        return dict.fromkeys(members, NEVER) | sessions

"""Who calls: asked of the houses of accounts and tenancy, which do not know of requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.domains.accounts.model import Client, Viewer
from app.domains.accounts.services import AccountsServices
from app.domains.accounts.services.sessions import Sessions
from app.domains.tenancy.api_keys.model import CallUsage
from app.domains.tenancy.services import TenancyServices
from app.domains.tenancy.tenants.model.tenants import ActingKey, Tenancy
from app.kit.addresses import source_of
from app.kit.clock import NEVER
from app.kit.house import Services
from app.kit.work import Work, working


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

    async def acting_by_key(self, token: str, client: Client) -> Tenancy | None:
        """On whose behalf the bearer of an API key acts. None: it is not good. Raises KeyRefused."""
        with working(Work(source_of(client.ip))):
            return await self.tenancy.api_keys.authenticate(token, client)

    def forget(self, id: UUID) -> None:
        """A session, a secret of a key or a membership is over."""
        self.tenancy.api_keys.known.forget(id)

    async def charge(self, tenancy: Tenancy, key: ActingKey) -> CallUsage:
        """Counts a call of an API key. Raises RateLimited."""
        return await self.tenancy.calls.charge(tenancy, key)

    async def expiries(self, ids: Sequence[UUID]) -> dict[UUID, datetime]:
        """When these sessions end, or secrets of keys, or memberships, which do not expire; what is over is missing."""
        sessions = await self.sessions.expiries(ids)
        rest = [id for id in ids if id not in sessions]
        members = await self.tenancy.members.living(rest) if rest else set()
        rest = [id for id in rest if id not in members]
        secrets = await self.tenancy.api_keys.living(rest) if rest else {}
        return dict.fromkeys(members, NEVER) | secrets | sessions

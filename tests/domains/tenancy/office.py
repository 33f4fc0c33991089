"""Alice's tenant, and people who belong to it or not."""

import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from app.domains.accounts.model import Client, Viewer
from app.domains.accounts.services.mail_queue import MAIL_JOB, MailQueue
from app.domains.tenancy.api_keys.model import IssuedKey, NewApiKey
from app.domains.tenancy.services import TenancyServices
from app.domains.tenancy.tenants.model.tenants import MemberRole, NewTenant, Tenancy
from app.kit.clock import FixedClock
from app.kit.db import Database
from tests.databases import Owner


@dataclass
class Office:
    """What the tests do in tenants."""

    services: TenancyServices
    mail_queue: MailQueue
    database: Database
    owner: Owner
    clock: FixedClock
    alice: Viewer
    bob: Viewer
    keys: int = field(default=0)

    @property
    def key(self) -> str:
        """Another idempotency key."""
        self.keys += 1
        return f"key-{self.keys}"

    async def found(self, slug: str = "acme", by: Viewer | None = None, **given: Any) -> UUID:
        """A tenant that was created."""
        new = NewTenant(slug=slug, **{"name": "Acme", "email": "office@acme.example"} | given)
        return await self.services.tenants.create(by or self.alice, new, self.key)

    async def acting(self, viewer: Viewer | None = None, slug: str = "acme") -> Tenancy:
        """Someone's part in a tenant."""
        who = viewer or self.alice
        found = await self.services.access.tenancy(who.user_id, slug, who.client)
        assert found is not None
        return found

    async def join(self, viewer: Viewer, role: MemberRole, slug: str = "acme") -> Tenancy:
        """Someone whom Alice invited, and who has accepted."""
        await self.services.members.invite(await self.acting(slug=slug), "guest@example.com", role, self.key)
        await self.services.members.accept(viewer, await self.token())
        return await self.acting(viewer, slug)

    async def token(self) -> str:
        """The token of the newest invitation, from its mail."""
        payload = await self.owner.fetchval(
            "SELECT payload FROM pgqueuer WHERE entrypoint = $1 ORDER BY id DESC LIMIT 1", MAIL_JOB
        )
        mail = self.mail_queue.open(MAIL_JOB, msgspec.json.decode(payload))
        [token] = re.findall(r"\n\n(\S+)\n\nIf you do not know", mail["text"])
        return str(token)

    async def ended(self) -> list[str]:
        """What was announced as over, in order."""
        rows = await self.owner.fetch(
            "SELECT payload->>'session_id' FROM events WHERE stream = 'sessions' ORDER BY seq"
        )
        return [row[0] for row in rows]

    async def roles(self, slug: str = "acme") -> list[str]:
        """The roles in a tenant, sorted."""
        rows = await self.owner.fetch(
            "SELECT m.role FROM tenant_members m JOIN tenants t ON t.id = m.tenant_id WHERE t.slug = $1 ORDER BY 1",
            slug,
        )
        return [row[0] for row in rows]

    async def issue(self, by: Tenancy | None = None, **given: Any) -> IssuedKey:
        """A key that was created, by Alice."""
        values = {"name": "CI", "scopes": ["members:read", "tenant:write"]} | given
        return await self.services.api_keys.create(by or await self.acting(), NewApiKey(**values), self.key)

    async def bearing(self, secret: str | None, ip: str | None = "192.0.2.1") -> Tenancy | None:
        """Who acts by a key."""
        return await self.services.api_keys.authenticate(secret or "", Client(ip=ip))

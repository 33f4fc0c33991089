"""What resolvers use: the caller, the data that the caller may read, and the services."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

import strawberry

from app.domains.accounts.model import Client, Role, SessionTokens, Viewer
from app.domains.tenancy.api_keys.model import CallUsage
from app.domains.tenancy.tenants.model.tenants import ActingKey, Tenancy, Tenant, TenantRequired
from app.engine.declarations.cursors import Cursors
from app.engine.declarations.limits import Limits
from app.engine.declarations.nodes import NodeKind
from app.kit.addresses import source_of
from app.kit.db import PUBLIC, Scope
from app.kit.errors import Forbidden, NotFound, Unauthenticated
from app.kit.house import Services
from app.kit.loaders import Audience
from app.kit.reads import Reads
from app.kit.work import SHARED
from app.schema.realtime.registry import OpenStreams
from app.settings import Settings


@dataclass(frozen=True)
class Runtime:
    """What lives as long as the process."""

    settings: Settings
    services: Services
    limits: Limits
    cursors: Cursors
    nodes: Mapping[str, NodeKind]
    """The types of objects that have a global ID, by name."""
    open_streams: OpenStreams
    new_reads: Callable[[Scope], Reads]


@dataclass
class Context:
    """One operation, or one event of a subscription: loads are never shared beyond it."""

    runtime: Runtime
    viewer: Viewer | None
    client: Client
    request_id: str
    from_browser: bool
    reads: Reads
    refresh_token: str | None = field(default=None)
    """From the browser's cookie; null without one."""
    refusal: str | None = field(default=None)
    """Why the token or the cookie of the request is not valid; null if there is none, or it is valid."""
    device_token: str | None = field(default=None)
    """From the browser's cookie; null without one."""
    tenancy: Tenancy | None = field(default=None)
    """On whose behalf the caller acts in the tenant that the request names; null where it names none of theirs."""
    tenant_refusal: str | None = field(default=None)
    """Why the tenant that the request names is none of the caller's; null where it names none, or it is."""
    usage: CallUsage | None = field(default=None)
    """What this call has used of the limits of its API key; null without one."""
    new_session: SessionTokens | None = field(default=None)
    session_ended: bool = field(default=False)
    reveals_secret: bool = field(default=False)
    """Whether the answer contains secrets of the caller, such as tokens."""

    @property
    def services(self) -> Services:
        """The verbs of every house."""
        return self.runtime.services

    @property
    def cursors(self) -> Cursors:
        """The cursors of lists."""
        return self.runtime.cursors

    @property
    def settings(self) -> Settings:
        """The knobs."""
        return self.runtime.settings

    def require_viewer(self) -> Viewer:
        """The viewer. Raises Unauthenticated."""
        if self.viewer is None:
            if self.key is not None:
                raise Forbidden("This is for users, who log in.")
            raise Unauthenticated(self.refusal)
        return self.viewer

    @property
    def key(self) -> ActingKey | None:
        """The API key by which the caller acts; null for any other caller."""
        return None if self.tenancy is None else self.tenancy.key

    def require_admin(self) -> Viewer:
        """The viewer, who is an admin. Raises Unauthenticated or Forbidden."""
        viewer = self.require_viewer()
        if viewer.role is not Role.ADMIN:
            raise Forbidden
        return viewer

    def require_tenancy(self) -> Tenancy:
        """On whose behalf the caller acts in a tenant. Raises Unauthenticated, NotFound, TenantRequired."""
        if self.tenancy is not None:
            return self.tenancy
        self.require_viewer()
        if self.tenant_refusal is not None:
            raise NotFound(Tenant, self.tenant_refusal)
        raise TenantRequired

    async def become(self, viewer: Viewer | None) -> None:
        """Reads everything from here on as `viewer`, who has just logged in; None: logged out. In no tenant."""
        self.viewer, self.tenancy = viewer, None
        await self.read_anew()

    async def read_anew(self) -> None:
        """Ends the loads, and releases their connection. What is read afterwards is read again."""
        before, self.reads = self.reads, self.reads.anew(scope_of(self.viewer, self.tenancy))
        await before.aclose()

    @property
    def viewer_id(self) -> UUID | None:
        """Who calls; null for an anonymous caller."""
        return None if self.viewer is None else self.viewer.user_id

    @property
    def party(self) -> Hashable:
        """The party that queues for the database: the viewer, the address of an anonymous caller, or public work."""
        if self.key is not None:
            return self.key.id
        return self.viewer_id or source_of(self.client.ip) or SHARED

    def audience_key(self, audience: Audience) -> Hashable:
        """Equal for callers of the same audience. Each viewer is an audience of their own."""
        if audience is Audience.PUBLIC:
            return None
        tenant = None if self.tenancy is None else self.tenancy.audience
        if self.viewer is None or (audience is Audience.TENANT and tenant is not None):
            return tenant
        # Events are executed as the first caller of a group: one whose rights have changed since must not be in it.
        return self.viewer.user_id, self.viewer.role, self.viewer.is_verified, tenant

    def for_event(self, audience: Audience) -> "Context":
        """Fresh loads on behalf of the audience: without a viewer for the public one."""
        nobody = audience is Audience.PUBLIC
        viewer, tenancy = (None, None) if nobody else (self.viewer, self.tenancy)
        return Context(
            runtime=self.runtime,
            viewer=viewer,
            client=Client() if viewer is None and tenancy is None else self.client,
            request_id=self.request_id,
            from_browser=False,
            tenancy=tenancy,
            reads=self.runtime.new_reads(scope_of(viewer, tenancy)),
        )


def scope_of(viewer: Viewer | None, tenancy: Tenancy | None) -> Scope:
    """The scope in which a caller reads."""
    if tenancy is not None:
        return tenancy.scope
    return PUBLIC if viewer is None else viewer.scope


Info: TypeAlias = strawberry.Info[Context, None]

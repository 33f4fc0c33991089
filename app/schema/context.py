"""What a resolver can reach: who asks, what they may read, and the services."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

import strawberry

from app.domains.accounts.model import Client, Role, SessionTokens, Viewer
from app.engine.limits import Limits
from app.kit.errors import Forbidden, Unauthenticated
from app.kit.loading import Audience, Reads
from app.schema.realtime.registry import OpenSubscriptions
from app.schema.services import Services
from app.settings import Settings


@dataclass(frozen=True)
class Runtime:
    """What lives as long as the process."""

    settings: Settings
    services: Services
    limits: Limits
    open_subscriptions: OpenSubscriptions
    new_reads: Callable[[Viewer | None], Reads]


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
    device_token: str | None = field(default=None)
    """From the browser's cookie; null without one."""
    new_session: SessionTokens | None = field(default=None)
    session_ended: bool = field(default=False)

    @property
    def services(self) -> Services:
        """The verbs of every house."""
        return self.runtime.services

    @property
    def settings(self) -> Settings:
        """The knobs."""
        return self.runtime.settings

    def require_viewer(self) -> Viewer:
        """The viewer. Raises Unauthenticated."""
        if self.viewer is None:
            raise Unauthenticated
        return self.viewer

    def require_admin(self) -> Viewer:
        """The viewer, who is an admin. Raises Unauthenticated or Forbidden."""
        viewer = self.require_viewer()
        if viewer.role is not Role.ADMIN:
            raise Forbidden
        return viewer

    async def renew(self, viewer: Viewer | None) -> None:
        """From here on everything is read anew, as `viewer`: what follows a write in a response shows its outcome."""
        await self.reads.aclose()
        self.viewer = viewer
        self.reads = self.runtime.new_reads(viewer)

    @property
    def viewer_id(self) -> UUID | None:
        """Who calls; null for an anonymous caller."""
        return None if self.viewer is None else self.viewer.user_id

    def audience_key(self, audience: Audience) -> Hashable:
        """Equal for callers who are one audience. There are no tenants to share among yet: each viewer is one."""
        if audience is Audience.PUBLIC or self.viewer is None:
            return None
        # Events are executed as the viewer who came first: who has become less since must not be among the same.
        return self.viewer.user_id, self.viewer.role, self.viewer.is_verified

    def for_event(self, audience: Audience) -> "Context":
        """Fresh loads on behalf of the audience: nobody's for a public one, whoever is the first to ask."""
        viewer = None if audience is Audience.PUBLIC else self.viewer
        return Context(
            runtime=self.runtime,
            viewer=viewer,
            client=Client() if viewer is None else self.client,
            request_id=self.request_id,
            from_browser=False,
            reads=self.runtime.new_reads(viewer),
        )


Info: TypeAlias = strawberry.Info[Context, None]

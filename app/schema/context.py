"""What a resolver can reach: who asks, what they may read, and the services."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import strawberry

from app.domains.accounts.model import Client, Role, SessionTokens, Viewer
from app.engine.limits import Limits
from app.kit.errors import Forbidden, Unauthenticated
from app.kit.hub import Hub
from app.kit.loading import Reads
from app.schema.services import Services
from app.settings import Settings


@dataclass(frozen=True)
class Runtime:
    """What lives as long as the process."""

    settings: Settings
    services: Services
    hub: Hub
    limits: Limits
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

    @property
    def hub(self) -> Hub:
        """Where subscriptions listen."""
        return self.runtime.hub

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

    def next_event(self) -> "Context":
        """The same caller with fresh loads, for the next event of a subscription."""
        return Context(
            runtime=self.runtime,
            viewer=self.viewer,
            client=self.client,
            request_id=self.request_id,
            from_browser=self.from_browser,
            reads=self.runtime.new_reads(self.viewer),
        )


Info: TypeAlias = strawberry.Info[Context, None]

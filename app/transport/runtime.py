"""What the composition root passes to the transports."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol
from uuid import UUID

import msgspec
from prometheus_client.registry import Collector

from app.domains.accounts.model import Client, SessionTokens, Viewer
from app.domains.tenancy.api_keys.model import CallUsage
from app.domains.tenancy.tenants.model.tenants import ActingKey, Tenancy
from app.engine.execution.engine import Engine
from app.engine.execution.operations import RequestContext
from app.engine.streams.subscriptions import Subscriptions
from app.kit.db import Database
from app.kit.hub import Hub
from app.kit.mail import StoredMessage
from app.kit.maintenance import MaintenanceSwitch
from app.settings import Settings
from app.transport.metrics import Metrics
from app.transport.sessions import SessionWatch

WEB_DIST = Path(__file__).resolve().parents[2] / "web" / "dist"


class Refusal(msgspec.Struct, frozen=True):
    """Why the caller's credentials are not valid. The caller is anonymous, and gets this where a viewer is needed."""

    reason: str
    is_deliberate: bool
    """Whether the client sent it on purpose, as a token. Browsers add cookies and a proxy's passwords by themselves."""


class Caller(msgspec.Struct, frozen=True):
    """Who calls, how, and from where: what a context is made from."""

    viewer: Viewer | None
    """Null for an anonymous caller."""
    client: Client
    request_id: str
    from_browser: bool
    """A page of ours or of an allowed origin calls, and the answer can set cookies: sessions travel in those, which no
    script can read. False on a socket and for a stream of events."""
    refresh_token: str | None = None
    """From the browser's cookie; null without one."""
    refusal: Refusal | None = None
    """Null for an authenticated caller, and for one without credentials."""
    device_token: str | None = None
    """From the browser's cookie; null without one."""
    tenancy: Tenancy | None = None
    """On whose behalf the caller acts in the tenant that the request names; null where it names none of theirs."""
    tenant_refusal: str | None = None
    """Why the tenant that the request names is none of the caller's; null where it names none, or it is."""
    usage: CallUsage | None = None
    """What this call has used of the limits of its API key; null without one."""

    @property
    def key(self) -> ActingKey | None:
        """The API key by which the caller acts; null for any other caller."""
        return None if self.tenancy is None else self.tenancy.key

    @property
    def is_known(self) -> bool:
        """Whether it is a user, or a program with an API key."""
        return self.viewer is not None or self.key is not None


class Context(RequestContext, Protocol):
    """What the transports read back from the context that resolvers got."""

    @property
    def viewer(self) -> Viewer | None:
        """Who calls; null for an anonymous caller."""
        ...

    @property
    def tenancy(self) -> Tenancy | None:
        """On whose behalf the caller acts in a tenant; null where they act in none."""
        ...

    @property
    def usage(self) -> CallUsage | None:
        """What the call has used of the limits of its API key; null without one."""
        ...

    @property
    def new_session(self) -> SessionTokens | None:
        """A session that was opened or renewed; null where none was."""
        ...

    @property
    def session_ended(self) -> bool:
        """Whether the caller's own session is over."""
        ...

    @property
    def reveals_secret(self) -> bool:
        """Whether the answer holds what only the caller may ever know, such as tokens."""
        ...


class Pingable(Protocol):
    """The part of the Redis client that health checks use."""

    def ping(self) -> Awaitable[object]:
        """Raises when the server does not answer."""
        ...


class DevMailbox(Protocol):
    """Mail that was not sent but kept for the developer."""

    async def recent(self, limit: int = 50) -> list[StoredMessage]:
        """The newest messages, newest first."""
        ...


class DemoLogin(msgspec.Struct, frozen=True):
    """A log-in that the IDE offers in one click."""

    label: str
    email: str
    password: str


class StoredUpload(NamedTuple):
    """A file that was sent."""

    id: UUID
    size_bytes: int
    expires_at: datetime


class FileStore(Protocol):
    """What keeps files of tenants."""

    @property
    def limit_bytes(self) -> int:
        """How large a file that is sent can be now."""
        ...

    async def upload(self, tenancy: Tenancy, body: AsyncGenerator[bytes, None]) -> StoredUpload:
        """Stores a file. Raises problems, and what `body` does."""
        ...

    async def download(self, tenancy: Tenancy, id: UUID) -> tuple[int, AsyncGenerator[bytes, None]]:
        """The size and the parts of the file of an export. Raises problems."""
        ...


async def no_key(token: str, client: Client) -> Tenancy | None:
    """No key is good."""
    return None


async def no_charge(tenancy: Tenancy, key: ActingKey) -> CallUsage:
    """Nothing is limited."""
    return CallUsage((), is_counted=True)


@dataclass(frozen=True)
class AppRuntime:
    """All that the transports need, wired once."""

    settings: Settings
    engine: Engine
    new_context: Callable[[Caller], Context]
    """Makes the context of one operation; the engine closes its loads."""
    authenticate: Callable[[str, Client], Awaitable[Viewer | None]]
    """The viewer of an access token; None for one that is malformed, expired or revoked. Raises Unavailable."""
    tenancy_of: Callable[[Viewer, str], Awaitable[Tenancy | None]]
    """The part of a viewer in the tenant with a slug; None for a tenant that is none of theirs. Raises Unavailable."""
    fault_of: Callable[[str], str]
    """Why a token is not valid, as a message for the client."""
    database: Database
    redis: Pingable
    hub: Hub
    subscriptions: Subscriptions
    sessions: SessionWatch
    """Started before anybody connects."""
    acting_by_key: Callable[[str, Client], Awaitable[Tenancy | None]] = no_key
    """On whose behalf the bearer of an API key acts; None for one that is not good. Raises Unavailable, and a problem
    with the code FORBIDDEN for one that cannot be used from here or now.
    """
    charge: Callable[[Tenancy, ActingKey], Awaitable[CallUsage]] = no_charge
    """Counts a call of an API key. Raises RateLimited."""
    maintenance: MaintenanceSwitch = field(default_factory=MaintenanceSwitch)
    """While it is on, all but admins are turned away."""
    dev_mailbox: DevMailbox | None = None
    """Shown at /dev/mail in development; null where mail is really sent."""
    readiness_checks: Mapping[str, Callable[[], Awaitable[object]]] = field(default_factory=dict)
    """Further checks for /health/ready, by name. A check that raises is unhealthy."""
    collectors: Sequence[Collector] = ()
    """Further metrics for /metrics."""
    metric_refreshes: Sequence[Callable[[], Awaitable[None]]] = ()
    """What the collectors read before each scrape. A refresh that raises Unavailable leaves what was read last."""
    demo_logins: tuple[DemoLogin, ...] = ()
    """Offered by the IDE in development; empty where no demo data is loaded."""
    demo_access_codes: tuple[str, ...] = ()
    """To register with; offered where the log-ins are."""
    files: FileStore | None = None
    """What keeps files that tenants send and fetch; null: nothing does."""
    web: Path = WEB_DIST
    """The built pages."""
    metrics: Metrics = field(default_factory=Metrics)

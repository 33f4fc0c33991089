"""API keys of tenants, and what is left of their limits."""

from datetime import datetime

import strawberry

from app.domains.accounts import loaders as account_loaders
from app.domains.tenancy.api_keys import loaders, model
from app.engine.declarations.costs import holds
from app.engine.declarations.durations import Milliseconds, milliseconds_of
from app.engine.declarations.extensions import extension_of
from app.engine.declarations.nodes import Node, node_type, record_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import paged, related
from app.kit import quotas
from app.schema.accounts.users import UserAccount
from app.schema.context import Info
from app.schema.tenancy.tenants import Tenant

MAX_SCOPES = 2 * (len(model.NOUNS) + 1)
WINDOWS = 5


@node_type(by=loaders.api_key_by_id)
class ApiKey(Node):
    """A key by which programs act in a tenant, in place of a user. Its secret is shown once, when it is made."""

    key_id: str = strawberry.field(
        name="prefix",
        description="What the key begins with, by which it is recognised: `mk_live_...` or `mk_test_...`.",
    )
    name: str = strawberry.field(description="The name, 1 to 255 characters.")
    scopes: list[str] = strawberry.field(
        description="What it may do, such as `projects:read`. To write is not to read.", metadata=holds(MAX_SCOPES)
    )
    allowed_cidrs: list[str] = strawberry.field(
        name="allowedNetworks",
        description="The networks from which it can be used, such as 192.0.2.0/24. Empty: from everywhere.",
        metadata=holds(model.MAX_CIDRS),
    )
    livemode: bool = strawberry.field(
        name="isLive", description="Whether it sees and changes what is real, and not what is for tests."
    )
    per_minute: int = strawberry.field(name="minutelyCallLimit", description="The number of calls in a minute.")
    per_hour: int = strawberry.field(name="hourlyCallLimit", description="The number of calls in an hour.")
    per_day: int = strawberry.field(name="dailyCallLimit", description="The number of calls in a day.")
    usage_count: int = strawberry.field(
        name="callCount", description="The number of calls so far, up to a minute ago. It stops at 2,147,483,647."
    )
    last_used_at: datetime | None = strawberry.field(
        description="When it was last used, up to a minute ago. Null: never."
    )
    last_used_ip: str | None = strawberry.field(description="From where it was last used. Null: it is not known.")
    created_by: UserAccount | None = related(
        account_loaders.user_by_id, key="created_by", description="Who created it. Null once they are deleted."
    )
    created_at: datetime = strawberry.field(description="When it was created.")
    expires_at: datetime | None = strawberry.field(description="Until when it can be used. Null: it does not expire.")
    revoked_at: datetime | None = strawberry.field(description="When it was revoked. Null: it was not.")
    previous_until: datetime | None = strawberry.field(
        name="previousSecretExpiresAt",
        description="Until when the secret before the last rotation can be used. Null: there is none that can.",
    )


@record_type(model.TenantUsage)
class TenantUsage:
    """The calls of a tenant's API keys in the present calendar month, in UTC."""

    calls: int = strawberry.field(
        name="callCount", description="The number of calls so far, up to a second ago. A call is one operation; a"
        " subscription counts as another with each minute that it is open."
    )  # fmt: skip
    calls_limit: int = strawberry.field(name="callLimit", description="The number of calls that are included.")
    calls_left: int = strawberry.field(name="callsLeft", description="The number of calls that are left.")
    resets_at: datetime = strawberry.field(description="When the next month begins.")


@extension_of(Tenant)
class TenantApiKeys:
    """The keys of the tenant, and their calls."""

    api_keys: Connection[ApiKey] = paged(
        loaders.api_keys_by_tenant,
        key="id",
        description="Its API keys of the mode that the request is in, newest first; one that has ended is kept for 90"
        " days. Empty unless the request names the tenant, by an owner or admin of it.",
    )
    usage: TenantUsage | None = related(
        loaders.usage_by_tenant, key="id", description="What it uses of its limits. Null for others than its members."
    )


@record_type(quotas.Usage)
class RateLimitWindow:
    """A limit on the calls of an API key in a span of time."""

    name: str = strawberry.field(
        description="`minute`, `hour` and `day` are of the key; `plan` is an hour of all keys of the tenant, `month` a"
        " calendar month of them."
    )
    limit: int = strawberry.field(description="The number of calls in the span.")
    remaining: int = strawberry.field(name="callsLeft", description="The number of calls that are left after this.")
    span_ms: Milliseconds = milliseconds_of("span_s", description="The span, in milliseconds.")
    resets_at: datetime = strawberry.field(description="When the next span begins.")


@strawberry.type
class ApiKeyQuery:
    """What is left of the limits of an API key."""

    @strawberry.field(metadata=holds(WINDOWS))
    def rate_limit(self, info: Info) -> list[RateLimitWindow] | None:
        """The limits on the calls of the API key of the request. Null without one."""
        usage = info.context.usage
        return None if usage is None else list(usage.windows)  # type: ignore[arg-type]  # records stand for their type

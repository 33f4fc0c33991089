"""The settings of the system, as everybody sees them."""

from datetime import datetime

import strawberry

from app.domains.system import loaders, model
from app.domains.system.model import MAX_SYMBOL_CHARS, MAX_TOKENS
from app.engine.declarations.audience import computed_for
from app.engine.declarations.costs import holds
from app.engine.declarations.durations import Milliseconds, milliseconds_of
from app.engine.declarations.maintenance import stays_open
from app.engine.declarations.nodes import record_type
from app.kit.loaders import Audience
from app.schema.context import Info

CALLS = "A call is one GraphQL operation."
SYMBOLS = f"1 to {MAX_TOKENS} symbols of 1 to {MAX_SYMBOL_CHARS} capital letters and digits"


@record_type(model.Maintenance)
class MaintenanceMode:
    """Whether users are turned away. Admins are answered as always, and everybody can log in."""

    enabled: bool = strawberry.field(
        name="isEnabled",
        description="Whether all operations but those of admins are answered with the error code MAINTENANCE.",
    )
    message: str | None = strawberry.field(
        description="What users are shown, at most 500 characters. Null: a message of the server."
    )
    retry_after_ms: Milliseconds = milliseconds_of(
        "retry_after_s", description="After how many milliseconds clients should try again: 1,000 to 86,400,000."
    )
    started_at: datetime | None = strawberry.field(description="When it was enabled. Null if it is not.")


@record_type(model.RateLimits)
class DefaultRateLimits:
    """The API calls that all keys of a tenant make in an hour, by its plan."""

    free: int = strawberry.field(name="freeCalls", description=f"The calls of the free plan in any hour. {CALLS}")
    pro: int = strawberry.field(name="proCalls", description=f"The calls of the pro plan in any hour. {CALLS}")
    enterprise: int = strawberry.field(
        name="enterpriseCalls", description=f"The calls of the enterprise plan in any hour. {CALLS}"
    )


@record_type(model.SystemSettings)
class SystemSettings:
    """What admins set while Moneta runs. A change holds everywhere within a second."""

    maintenance: MaintenanceMode = strawberry.field(description="Whether users are turned away.")
    max_upload_bytes: int = strawberry.field(description="The size of the largest file that may be uploaded, in bytes.")
    default_rate_limits: DefaultRateLimits = strawberry.field(
        description="The API calls of each plan in an hour, where nothing else is agreed."
    )
    supported_tokens: list[str] = strawberry.field(
        metadata=holds(MAX_TOKENS), description=f"The tokens that can be distributed: {SYMBOLS}."
    )


@strawberry.type
class SystemSettingQuery:
    """The settings of the system."""

    @strawberry.field(metadata=computed_for(Audience.PUBLIC) | stays_open(), graphql_type=SystemSettings)
    async def system_settings(self, info: Info) -> model.SystemSettings:
        """The settings of the system. Also during maintenance."""
        (stored,) = await info.context.reads.many(loaders.system_settings, True)
        return stored.settings

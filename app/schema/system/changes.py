"""Changes of the system's settings, by admins."""

from datetime import datetime
from typing import Any

import strawberry

from app.domains.accounts import loaders as account_loaders
from app.domains.system import loaders, model
from app.domains.system.model import (
    DEFAULT_RETRY_AFTER_S,
    MAX_CALLS,
    MAX_MESSAGE_CHARS,
    MAX_RETRY_AFTER_S,
    MAX_TOKENS,
    MAX_UPLOAD_BYTES,
    MIN_UPLOAD_BYTES,
    SettingKey,
)
from app.domains.system.services import SystemServices
from app.engine.declarations.computed import from_parent
from app.engine.declarations.costs import holds
from app.engine.declarations.durations import SECOND, Milliseconds, number_of
from app.engine.declarations.nodes import record_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.problems import InvalidInput, mutation
from app.engine.declarations.relations import paged, related
from app.schema.accounts.users import UserAccount
from app.schema.admins import admins_only, for_admins
from app.schema.context import Info
from app.schema.enums import declare_enum
from app.schema.system.settings import SYMBOLS, DefaultRateLimits, MaintenanceMode, SystemSettings

CALLS = f"1 to {MAX_CALLS:,} in any hour; a call is one GraphQL operation."

declare_enum(
    SettingKey,
    name="SystemSettingKey",
    MAINTENANCE="Whether users are turned away.",
    MAX_UPLOAD_BYTES="The size of the largest file that may be uploaded.",
    DEFAULT_RATE_LIMITS="The API calls of each plan in an hour.",
    SUPPORTED_TOKENS="The tokens that can be distributed.",
)


def _only(kind: type) -> Any:
    return lambda root: root if isinstance(root, kind) else None


@strawberry.type
class SystemSettingValue:
    """The value of a setting: one field is not null, that of the setting."""

    maintenance: MaintenanceMode | None = from_parent(
        _only(model.Maintenance), graphql_type=MaintenanceMode | None, description="Of MAINTENANCE; otherwise null."
    )
    max_upload_bytes: int | None = from_parent(
        _only(int), graphql_type=int | None, description="Of MAX_UPLOAD_BYTES, in bytes; otherwise null."
    )
    default_rate_limits: DefaultRateLimits | None = from_parent(
        _only(model.RateLimits),
        graphql_type=DefaultRateLimits | None,
        description="Of DEFAULT_RATE_LIMITS; otherwise null.",
    )
    supported_tokens: list[str] | None = from_parent(
        _only(tuple),
        graphql_type=list[str] | None,
        metadata=holds(MAX_TOKENS),
        description=f"Of SUPPORTED_TOKENS, at most {MAX_TOKENS}; otherwise null.",
    )


def _before(root: model.SettingChange) -> Any:
    return root.before


def _after(root: model.SettingChange) -> Any:
    return root.after


@record_type(model.SettingChange)
class SystemSettingChange:
    """A change of a setting of the system. Kept for ever. Visible to admins only."""

    key: SettingKey = strawberry.field(description="The setting that was changed.")
    before: SystemSettingValue = from_parent(
        _before, graphql_type=SystemSettingValue, description="The value before the change."
    )
    after: SystemSettingValue = from_parent(
        _after, graphql_type=SystemSettingValue, description="The value after the change."
    )
    changed_by: UserAccount | None = related(
        account_loaders.user_by_id,
        key="changed_by",
        description="The admin who changed it. Null if the user has been deleted, or it was changed in the database.",
    )
    changed_at: datetime = strawberry.field(description="When it was changed.")


@strawberry.input
class SystemSettingChangeFilter:
    """Filters changes by all fields that are given. A field that is null or omitted matches all."""

    key: SettingKey | None = strawberry.field(default=None, description="The setting that was changed.")


@strawberry.input
class MaintenanceInput:
    """Whether users are turned away, and what they are shown."""

    enabled: bool = strawberry.field(
        description="Whether to answer all operations but those of admins with the error code MAINTENANCE."
    )
    message: str | None = strawberry.field(
        default=None,
        description=f"What users are shown: at most {MAX_MESSAGE_CHARS} characters. Null: a message of the server.",
    )
    retry_after_ms: Milliseconds | None = strawberry.field(
        default=None,
        description=f"After how many milliseconds clients should try again: 1,000 to {1000 * MAX_RETRY_AFTER_S:,}, in"
        f" whole seconds. Null: {1000 * DEFAULT_RETRY_AFTER_S:,}.",
    )

    def value(self) -> model.NewMaintenance:
        """The value."""
        given = self.retry_after_ms
        retry_after_s = DEFAULT_RETRY_AFTER_S if given is None else number_of(SECOND, given)
        return model.NewMaintenance(self.enabled, self.message, retry_after_s)


@strawberry.input
class DefaultRateLimitsInput:
    """The API calls of each plan in an hour. No plan has fewer than the one below it."""

    free_calls: int = strawberry.field(description=f"The calls of the free plan: {CALLS}")
    pro_calls: int = strawberry.field(description=f"The calls of the pro plan: {CALLS}")
    enterprise_calls: int = strawberry.field(description=f"The calls of the enterprise plan: {CALLS}")


@strawberry.input(one_of=True)
class UpdateSystemSettingInput:
    """The setting to change, with its whole new value. Set exactly one field."""

    maintenance: MaintenanceInput | None = strawberry.field(
        default=strawberry.UNSET, description="Whether users are turned away."
    )
    max_upload_bytes: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="The size of the largest file that may be uploaded, in bytes:"
        f" {MIN_UPLOAD_BYTES:,} to {MAX_UPLOAD_BYTES:,}.",
    )
    default_rate_limits: DefaultRateLimitsInput | None = strawberry.field(
        default=strawberry.UNSET, description="The API calls of each plan in an hour, where nothing else is agreed."
    )
    supported_tokens: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description=f"The tokens that can be distributed: {SYMBOLS}, each once."
    )

    def value(self) -> model.NewValue:
        """The value of the field that is set."""
        if self.maintenance:
            return self.maintenance.value()
        if isinstance(self.max_upload_bytes, int):
            return self.max_upload_bytes
        if given := self.default_rate_limits:
            return model.RateLimits(given.free_calls, given.pro_calls, given.enterprise_calls)
        assert isinstance(self.supported_tokens, list), "one of them is given"
        return tuple(self.supported_tokens)


@strawberry.type
class UpdateSystemSettingPayload:
    """The setting has the new value, and may have had it before."""

    system_settings: SystemSettings = strawberry.field(description="All settings, with the new value.")


@strawberry.type
class SystemSettingChangeQuery:
    """The changes of the system's settings."""

    system_setting_changes: Connection[SystemSettingChange] = paged(
        loaders.setting_changes,
        filter=SystemSettingChangeFilter,
        allowed=admins_only,
        description="The changes of the system's settings, newest first. Admins only; the error code is FORBIDDEN for"
        " others.",
    )


@strawberry.type
class SystemSettingMutation:
    """Changes of the system's settings."""

    @mutation(UpdateSystemSettingPayload, InvalidInput, metadata=for_admins())
    async def update_system_setting(self, info: Info, input: UpdateSystemSettingInput) -> Any:
        """Changes a setting of the system, which holds everywhere within a second. Admins only; the error code is
        FORBIDDEN for others.
        """
        context = info.context
        viewer = context.require_admin()
        await context.services[SystemServices].update(viewer, input.value())
        (stored,) = await context.reads.many(loaders.system_settings, True)
        settings: Any = stored.settings
        return UpdateSystemSettingPayload(system_settings=settings)

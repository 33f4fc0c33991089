"""Settings: JSON values that clients store for their user."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from app.domains.accounts import loaders, model
from app.domains.accounts.model import MAX_SETTINGS
from app.domains.accounts.services import AccountsServices
from app.engine.declarations.computed import from_parent
from app.engine.declarations.nodes import record_type
from app.engine.declarations.problems import InvalidInput, mutation
from app.engine.declarations.relations import listed
from app.schema.context import Info


def _value(root: model.Setting) -> Any:
    return root.given_value


@record_type(model.Setting)
class UserSetting:
    """A JSON value that a client stores for its user."""

    name: str = strawberry.field(description="1 to 64 letters, digits and . _ - beginning with a letter.")
    value: JSON = from_parent(_value, description="Any JSON value of at most 8,192 bytes and 16 levels.")
    updated_at: datetime = strawberry.field(description="When the setting was last written.")


async def _setting(
    info: Info, name: Annotated[str, strawberry.argument(description="The name of the setting.")]
) -> Any:
    return await info.context.reads.one(loaders.own_setting_by_name, name)


@strawberry.input
class PutSettingInput:
    """The setting to store."""

    name: str = strawberry.field(description="1 to 64 letters, digits and . _ - beginning with a letter.")
    value: JSON | None = strawberry.field(
        description="Any JSON value of at most 8,192 bytes and 16 levels. Null removes the setting."
    )


@strawberry.type
class PutSettingPayload:
    """The setting was written or removed."""

    setting: UserSetting | None = strawberry.field(description="The setting as it is now. Null if it was removed.")


@strawberry.type
class SettingMutation:
    """Changes to the viewer's settings."""

    @mutation(PutSettingPayload, InvalidInput)
    async def put_setting(self, info: Info, input: PutSettingInput) -> Any:
        """Stores a JSON value for the viewer. A user can have at most 200 settings."""
        context = info.context
        await context.services[AccountsServices].profiles.put_setting(context.require_viewer(), input.name, input.value)
        setting: Any = await context.reads.one(loaders.own_setting_by_name, input.name)
        return PutSettingPayload(setting=setting)


@strawberry.type
class SettingViewer:
    """The viewer's settings."""

    settings: list[UserSetting] = listed(
        loaders.settings_by_user,
        key="user_id",
        most=MAX_SETTINGS,
        description=f"All settings of the viewer, by name; at most {MAX_SETTINGS}.",
    )
    setting: UserSetting | None = strawberry.field(
        resolver=_setting,
        graphql_type=UserSetting | None,
        description="The setting of the viewer with this name. Null if there is none.",
    )

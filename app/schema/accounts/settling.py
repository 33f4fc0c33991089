"""What users change of their own: profile and settings."""

from typing import Any

import msgspec
import strawberry

from app.domains.accounts import loaders, model
from app.engine.problems import mutation
from app.kit.errors import InvalidInput
from app.schema.accounts import problems as _problems  # noqa: F401  # declares the types that the unions below name
from app.schema.accounts.inputs import PutSettingInput, UpdateProfileInput
from app.schema.accounts.payloads import PutSettingPayload, UpdateProfilePayload
from app.schema.context import Info


@strawberry.type
class OwnMutation:
    """What users change of their own."""

    @mutation(
        UpdateProfilePayload,
        InvalidInput,
        model.UsernameTaken,
        description="Changes the viewer's profile; what is left out stays as it is.",
    )
    async def update_profile(self, info: Info, input: UpdateProfileInput) -> Any:
        """Changes the viewer's profile."""
        context = info.context
        viewer = context.require_viewer()
        changes = model.ProfileChanges(
            username=_given(input.username),
            display_name=_given(input.display_name),
            avatar_url=_given(input.avatar_url),
            trading_mode=input.trading_mode.name.lower() if input.trading_mode else msgspec.UNSET,
        )
        await context.services.accounts.profiles.update(viewer, changes)
        profile: Any = await context.reads.one(loaders.profile_by_user, viewer.user_id)
        return UpdateProfilePayload(profile=profile)

    @mutation(PutSettingPayload, InvalidInput, description="Keeps a JSON value for the viewer, at most 200 of them.")
    async def put_setting(self, info: Info, input: PutSettingInput) -> Any:
        """Keeps a JSON value for the viewer."""
        context = info.context
        viewer = context.require_viewer()
        await context.services.accounts.profiles.put_setting(viewer, input.name, input.value)
        setting: Any = await context.reads.one(loaders.own_setting_by_name, input.name)
        return PutSettingPayload(setting=setting)


def _given(value: str | None) -> Any:
    """Strawberry and msgspec each have a word for what was left out."""
    return msgspec.UNSET if value is strawberry.UNSET else value

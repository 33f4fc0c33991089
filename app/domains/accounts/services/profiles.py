"""Profiles and settings of users."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from uuid import UUID

from msgspec import UNSET, UnsetType

from app.domains.accounts.model import MAX_SETTINGS, Profile, ProfileChanges, UsernameTaken, Viewer
from app.domains.accounts.rules import identity, settings
from app.domains.accounts.services.auth_log import system_scope
from app.domains.accounts.statements import LockedProfile, ProfileSql, SettingSql
from app.kit.db import Database, Tx
from app.kit.errors import Faults, InvalidInput, NotFound

LIVE: Final = "live"
"""The mode of trading with real money."""

HasExchange: TypeAlias = Callable[[Tx, UUID], Awaitable[bool]]
"""Whether a user has connected an account at an exchange."""


@dataclass(frozen=True)
class Profiles:
    """Changes profiles and settings."""

    database: Database
    has_exchange: HasExchange

    async def update(self, viewer: Viewer, changes: ProfileChanges) -> None:
        """Changes the viewer's profile. Raises InvalidInput, UsernameTaken."""
        if changes.is_empty:
            return
        changes = _checked(changes)

        async def work(tx: Tx) -> None:
            if changes.username:
                await tx.execute(ProfileSql.lock_username, changes.username)
                if await tx.fetch_one(ProfileSql.username_is_taken, changes.username, viewer.user_id):
                    raise UsernameTaken
            profile = await tx.fetch_one(ProfileSql.lock_profile, viewer.user_id)
            if profile is None:
                raise NotFound(Profile)
            # Not before: an account that is connected meanwhile counts.
            if changes.trading_mode == LIVE and not await self.has_exchange(tx, viewer.user_id):
                raise InvalidInput("trading_mode", "Connect an account at an exchange first.")
            values = [_new(changes, profile, name) for name in profile.__struct_fields__]
            await tx.execute(ProfileSql.update_profile, viewer.user_id, *values)
            if changes.display_name is not UNSET:
                name = changes.display_name or identity.default_display_name(viewer.user_id)
                await tx.execute(ProfileSql.update_display_name, viewer.user_id, name)

        await self.database.write(system_scope(viewer.client, viewer.user_id), work)

    async def put_setting(self, viewer: Viewer, name: str, value: Any) -> None:
        """Stores `value` under `name`; None deletes the setting. Raises InvalidInput."""
        with Faults() as faults:
            faults.check(settings.check_name, name)
            faults.check(settings.check_value, value)

        async def work(tx: Tx) -> None:
            if value is None:
                await tx.execute(SettingSql.delete_setting, viewer.user_id, name)
                return
            await tx.execute(SettingSql.lock_setting_names, str(viewer.user_id))
            others = await tx.fetch_one(SettingSql.count_other_settings, viewer.user_id, name)
            if others is not None and others >= MAX_SETTINGS:
                raise InvalidInput("name", f"A user has at most {MAX_SETTINGS} settings.")
            await tx.execute(SettingSql.put_setting, viewer.user_id, name, value)

        await self.database.write(viewer.scope, work)


def _new(changes: ProfileChanges, profile: LockedProfile, name: str) -> Any:
    given = getattr(changes, name)
    return getattr(profile, name) if given is UNSET else given


def _checked(changes: ProfileChanges) -> ProfileChanges:
    with Faults() as faults:
        changes.check(faults)
        return ProfileChanges(
            username=faults.check(_cleared_or, changes.username, identity.username),
            display_name=faults.check(_cleared_or, changes.display_name, identity.display_name),
            avatar_url=faults.check(_cleared_or, changes.avatar_url, identity.avatar_url),
            trading_mode=changes.trading_mode,
            analytics_enabled=changes.analytics_enabled,
        )


def _cleared_or(text: str | UnsetType | None, check: Callable[[str], str]) -> str | UnsetType | None:
    """An empty text clears a field as null does, because that is what an empty form field sends."""
    if text is UNSET:
        return UNSET
    return check(text) if text else None

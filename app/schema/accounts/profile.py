"""A user's profile: how the user appears and trades."""

from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any

import strawberry

from app.domains.accounts import loaders, model
from app.domains.accounts.services import AccountsServices
from app.engine.declarations.computed import from_parent
from app.engine.declarations.nodes import record_type
from app.engine.declarations.patches import changeable, changes_of
from app.engine.declarations.problems import InvalidInput, Problem, mutation, problem_type
from app.engine.declarations.relations import related
from app.schema.context import Info
from app.schema.currencies import Currency
from app.schema.enums import declare_enum


class PlanTier(StrEnum):
    """The tier of a user's plan."""

    FREE = "free"
    PRO = "pro"
    ENTERPRISE = "enterprise"


class TradingMode(StrEnum):
    """Whether a user trades with play money or with real money."""

    PAPER = "paper"
    LIVE = "live"


declare_enum(PlanTier, FREE="No paid plan.", PRO="The Pro tier.", ENTERPRISE="The Enterprise tier.")
declare_enum(TradingMode, PAPER="Play money.", LIVE="Real money.")


def _dollars(root: model.Profile) -> Currency:
    return Currency.USD


@record_type(model.Profile)
class Profile:
    """How a user appears and trades."""

    username: str | None = strawberry.field(
        description="3 to 30 letters, digits and underscores, unique ignoring case. Null if none was chosen."
    )
    display_name: str = strawberry.field(description="The name shown to other users, 1 to 80 characters.")
    avatar_url: str | None = strawberry.field(description="An https:// URL. Null if there is none.")
    subscription_tier: PlanTier = strawberry.field(name="planTier", description="The tier of the user's plan.")
    subscription_expires_at: datetime | None = strawberry.field(
        name="planExpiresAt", description="When the plan ends. Null if it does not end."
    )
    trading_mode: TradingMode = strawberry.field(description="Whether the user trades with play money or real money.")
    analytics_enabled: bool = strawberry.field(
        name="isAnalyticsEnabled",
        description="Whether what the user does is recorded (`viewer { analyticsEvents }`). True at first.",
    )
    quote_currency: Currency = from_parent(_dollars, description="The currency of the balances.")
    updated_at: datetime = strawberry.field(description="When the profile was last changed.")


@strawberry.input
class UpdateProfileInput:
    """Changes to the viewer's profile. A field that is left out keeps its value."""

    username: str | None = changeable(
        description="3 to 30 letters, digits and underscores. Null or an empty text removes the username.",
    )
    display_name: str | None = changeable(
        description="1 to 80 characters. Null or an empty text: a generated name that does not identify the user.",
    )
    avatar_url: str | None = changeable(
        description="An https:// URL of at most 2,048 characters. Null or an empty text removes the avatar.",
    )
    trading_mode: TradingMode | None = changeable(
        description="Whether to trade with play money or real money. LIVE takes a connected account at an exchange."
        " Not null.",
    )
    analytics_enabled: bool | None = changeable(
        description="Whether to record what the user does. False also deletes all that is recorded. Not null.",
    )


@strawberry.type
class UpdateProfilePayload:
    """The profile was changed."""

    profile: Profile = strawberry.field(description="The profile as it is now.")


@problem_type(model.UsernameTaken)
class UsernameTaken(Problem):
    """Another user has this username, perhaps in another spelling."""


@strawberry.type
class ProfileMutation:
    """Changes to the viewer's profile."""

    @mutation(UpdateProfilePayload, InvalidInput, UsernameTaken)
    async def update_profile(self, info: Info, input: UpdateProfileInput) -> Any:
        """Changes the viewer's profile. A field that is left out keeps its value."""
        context = info.context
        viewer = context.require_viewer()
        changes = changes_of(input, model.ProfileChanges, trading_mode=("trading_mode", attrgetter("value")))
        await context.services[AccountsServices].profiles.update(viewer, changes)
        profile: Any = await context.reads.one(loaders.profile_by_user, viewer.user_id)
        return UpdateProfilePayload(profile=profile)


@strawberry.type
class ProfileViewer:
    """The viewer's profile."""

    profile: Profile = related(loaders.profile_by_user, key="user_id", description="The viewer's profile.")

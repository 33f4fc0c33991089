"""The nouns of accounts: users, and what is theirs alone."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from app.domains.accounts import loaders, model
from app.domains.accounts.rules.settings import MAX_SETTINGS
from app.engine.nodes import Node, node_type, record_type
from app.engine.pages import Connection
from app.engine.relations import listed, paged, related
from app.schema.accounts.enums import AuthEventType, Role, SubscriptionTier, TradingMode
from app.schema.context import Info


def _private(attribute: str, kind: Any, description: str, **options: Any) -> Any:
    """A field of the user's account. Row-level security shows the account to the user and to admins; else null."""

    async def resolve(root: Any, info: Info) -> Any:
        account = await info.context.reads.one(loaders.account_by_id, root.id)
        return None if account is None else getattr(account, attribute)

    reason = "Null unless the viewer is this user or an admin."
    return strawberry.field(resolver=resolve, graphql_type=kind, description=f"{description} {reason}", **options)


@node_type(by=loaders.user_by_id, description="A user. Everybody sees the display name; the rest is the user's own.")
class User(Node):
    """A user."""

    display_name: str = strawberry.field(description="How others see this user; 1 to 80 characters.")
    email: str | None = _private("email", str | None, "E-mail address, in lower case.")
    full_name: str | None = _private("full_name", str | None, "Full name.")
    role: Role | None = _private("role", Role | None, "What this user may do.")
    is_verified: bool | None = _private(
        "is_verified", bool | None, "Whether the e-mail address is verified. Coins move only then."
    )
    has_national_id: bool | None = _private(
        "has_national_id", bool | None, "Whether a national id is kept, encrypted; it is never shown."
    )
    created_at: datetime | None = _private("created_at", datetime | None, "When the user registered.")


@record_type(model.Profile, description="How a user appears and trades.")
class Profile:
    """How a user appears and trades."""

    username: str | None = strawberry.field(
        description="Unique in any spelling; 3 to 30 letters, digits, underscores. Null: none chosen."
    )
    display_name: str = strawberry.field(description="How others see this user; 1 to 80 characters.")
    avatar_url: str | None = strawberry.field(description="An https:// URL; null: none.")
    subscription_tier: SubscriptionTier = strawberry.field(description="What was subscribed to.")
    subscription_expires_at: datetime | None = strawberry.field(description="When the tier ends; null: it does not.")
    trading_mode: TradingMode = strawberry.field(description="With what the user trades.")
    paper_balance: Decimal = strawberry.field(description="Play money to trade with, in the quote currency.")
    live_balance: Decimal = strawberry.field(description="Real money to trade with, in the quote currency.")
    updated_at: datetime = strawberry.field(description="When the profile last changed.")


@record_type(model.Setting, description="Something that a client keeps for its user.")
class Setting:
    """Something that a client keeps for its user."""

    name: str = strawberry.field(description="1 to 64 letters, digits and . _ - beginning with a letter.")
    value: JSON = strawberry.field(description="Any JSON value of at most 8,192 bytes, 16 levels deep.")
    updated_at: datetime = strawberry.field(description="When it was last written.")


def _is_current(root: Any, info: Info) -> bool:
    viewer = info.context.viewer
    return viewer is not None and viewer.session_id == root.id


@node_type(by=loaders.session_by_id, description="Something logged in as the viewer.")
class Session(Node):
    """Something logged in as the viewer."""

    is_current: bool = strawberry.field(resolver=_is_current, description="Whether this very request belongs to it.")
    created_at: datetime = strawberry.field(description="When it logged in.")
    refreshed_at: datetime = strawberry.field(description="When it got its present tokens.")
    expires_at: datetime = strawberry.field(description="When its present access token ends.")
    refresh_expires_at: datetime = strawberry.field(description="Until when it can be refreshed.")
    ip_address: str | None = strawberry.field(description="From where it was last refreshed; null: not known.")
    user_agent: str | None = strawberry.field(description="What it says it is; null: nothing.")


@record_type(model.AuthLogEntry, description="Something that happened at the door. Kept for 90 days.")
class AuthLogEntry:
    """Something that happened at the door."""

    event_type: AuthEventType = strawberry.field(description="What happened.")
    success: bool = strawberry.field(description="Whether it went well.")
    error_message: str | None = strawberry.field(description="What went wrong; null on success.")
    ip_address: str | None = strawberry.field(description="From where; null: not known.")
    user_agent: str | None = strawberry.field(description="What the client said it was; null: nothing.")
    created_at: datetime = strawberry.field(description="When.")


@node_type(by=loaders.access_code_by_id, description="A permission to register, once. Admins only.")
class AccessCode(Node):
    """A permission to register, once."""

    code: str = strawberry.field(description="4 to 50 capital letters, digits and hyphens.")
    redeemed: bool = strawberry.field(description="Whether it is spent.")
    redeemed_by: User | None = related(
        loaders.user_by_id,
        key="redeemed_by",
        description="Who registered with it; null: nobody yet, or the user has been deleted.",
    )
    redeemed_at: datetime | None = strawberry.field(description="When it was spent; null: not yet.")
    created_at: datetime = strawberry.field(description="When it was made.")


async def _setting(info: Info, name: Annotated[str, strawberry.argument(description="The setting's name.")]) -> Any:
    return await info.context.reads.one(loaders.own_setting_by_name, name)


@strawberry.type(description="What is the viewer's alone, of accounts.")
class AccountsViewer:
    """What is the viewer's alone, of accounts."""

    user: User = related(loaders.user_by_id, key="user_id", description="The viewer as a user.")
    profile: Profile = related(loaders.profile_by_user, key="user_id", description="The viewer's profile.")
    sessions: Connection[Session] = paged(
        loaders.sessions_by_user, key="user_id", description="Where the viewer is logged in, the newest first."
    )
    auth_log: Connection[AuthLogEntry] = paged(
        loaders.auth_log_by_user, key="user_id", description="What happened at the viewer's door, the newest first."
    )
    settings: list[Setting] = listed(
        loaders.settings_by_user,
        key="user_id",
        most=MAX_SETTINGS,
        description=f"All of the viewer's settings by name; at most {MAX_SETTINGS}.",
    )
    setting: Setting | None = strawberry.field(
        resolver=_setting,
        graphql_type=Setting | None,
        description="One of the viewer's settings; null: there is none of this name.",
    )

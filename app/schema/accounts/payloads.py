"""What the operations of accounts give when all goes well. Fields of record types hold records."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from app.domains.accounts.services.administration import MAX_CODES
from app.engine.limits.extra import holds
from app.schema.accounts.types import AccessCode, Profile, Setting, User

if TYPE_CHECKING:
    from app.schema.root import Viewer

_ViewerRef = Annotated["Viewer", strawberry.lazy("app.schema.root")]


@strawberry.type(description="The user was registered. A code and a link to verify the address are on their way.")
class RegisterPayload:
    """The user was registered."""

    user: User = strawberry.field(description="The new user.")


@strawberry.type(description="The address was verified.")
class VerifyEmailPayload:
    """The address was verified."""

    user: User = strawberry.field(description="Whose address it is.")


@strawberry.type(description="If the address waits to be verified, a new code and link are on their way.")
class ResendVerificationPayload:
    """If the address waits to be verified, a new code and link are on their way."""

    accepted: bool = strawberry.field(description="Always true: it does not tell whether the address is known.")


@strawberry.type(description="A session was opened.")
class LoginPayload:
    """A session was opened."""

    viewer: _ViewerRef = strawberry.field(description="Who the caller is from here on, in this response too.")
    access_token: str | None = strawberry.field(description="A JWT; null when it came as a cookie.")
    refresh_token: str | None = strawberry.field(description="Works once; null when it came as a cookie.")
    access_token_expires_at: datetime = strawberry.field(description="When the access token ends.")
    device_token: str | None = strawberry.field(
        description="Keep it for the next log-in on this device; good for 180 days and until the password changes."
        " Null when it came as a cookie."
    )


@strawberry.type(description="The session goes on with new tokens; the old ones are worth nothing.")
class RefreshSessionPayload:
    """The session goes on with new tokens."""

    viewer: _ViewerRef = strawberry.field(description="Who the caller is, in this response too.")
    access_token: str | None = strawberry.field(description="A JWT; null when it came as a cookie.")
    refresh_token: str | None = strawberry.field(description="Works once; null when it came as a cookie.")
    access_token_expires_at: datetime = strawberry.field(description="When the access token ends.")


@strawberry.type(description="The caller is logged out, and was perhaps before.")
class LogoutPayload:
    """The caller is logged out."""

    logged_out: bool = strawberry.field(description="Always true.")


@strawberry.type(description="All sessions of the viewer were ended, this one too.")
class LogoutEverywherePayload:
    """All sessions of the viewer were ended."""

    ended_sessions: int = strawberry.field(description="How many there were.")


@strawberry.type(description="The session was ended; its sockets close within a second.")
class RevokeSessionPayload:
    """The session was ended."""

    session_id: strawberry.ID = strawberry.field(description="Global id of the session that is no more.")


@strawberry.type(description="The password was changed, and the viewer's other sessions were ended.")
class ChangePasswordPayload:
    """The password was changed."""

    ended_sessions: int = strawberry.field(description="How many other sessions there were.")


@strawberry.type(description="If the address has an account, a link is on its way.")
class RequestPasswordResetPayload:
    """If the address has an account, a link is on its way."""

    accepted: bool = strawberry.field(description="Always true: it does not tell whether the address is known.")


@strawberry.type(description="The password was set, and all sessions of the user were ended.")
class ResetPasswordPayload:
    """The password was set."""

    user: User = strawberry.field(description="Whose password it is.")


@strawberry.type(description="The profile was changed.")
class UpdateProfilePayload:
    """The profile was changed."""

    profile: Profile = strawberry.field(description="The profile as it is now.")


@strawberry.type(description="The setting was written or removed.")
class PutSettingPayload:
    """The setting was written or removed."""

    setting: Setting | None = strawberry.field(description="The setting as it is now; null: it was removed.")


@strawberry.type(description="The access codes were made, now or when the idempotency key was first used.")
class CreateAccessCodesPayload:
    """The access codes were made."""

    access_codes: list[AccessCode] = strawberry.field(
        metadata=holds(MAX_CODES), description=f"The codes, in the order they were given; at most {MAX_CODES}."
    )


@strawberry.type(description="The user has the role.")
class UpdateUserRolePayload:
    """The user has the role."""

    user: User = strawberry.field(description="The user.")

"""The log of what happened to a user's account."""

from datetime import datetime

import strawberry

from app.domains.accounts import loaders, model
from app.engine.declarations.nodes import record_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import paged
from app.schema.enums import declare_enum

declare_enum(
    model.AuthEvent,
    name="AuthEventType",
    LOGIN="The user logged in.",
    LOGOUT="The user logged out of one session, or of all of them.",
    REGISTER="The user registered.",
    FAILED_LOGIN="A login failed because of a wrong password.",
    PASSWORD_RESET="A new password was set with a mailed link.",  # noqa: S106  # descriptions, not passwords
    SECURITY_ALERT="A refresh token was used a second time, so its session was ended.",
    EMAIL_VERIFIED="The e-mail address was verified; without success, a wrong code was entered.",
    VERIFICATION_SENT="A verification code was mailed.",
    SESSION_REFRESHED="A session received new tokens.",
    SESSION_REVOKED="A session was ended from another session.",
    PASSWORD_CHANGED="The password was changed; without success, the change was attempted.",  # noqa: S106
    PASSWORD_RESET_REQUESTED="A link to reset the password was mailed.",  # noqa: S106
    ROLE_CHANGED="An admin changed the user's role.",
)


@record_type(model.AuthLogEntry)
class AuthLogEntry:
    """A security event of the viewer's account. Entries are kept for 90 days."""

    event_type: model.AuthEvent = strawberry.field(name="type", description="The kind of event.")
    success: bool = strawberry.field(name="hasSucceeded", description="Whether the attempt succeeded.")
    error_message: str | None = strawberry.field(description="What went wrong. Null on success.")
    ip_address: str | None = strawberry.field(description="The IP address of the client. Null if unknown.")
    user_agent: str | None = strawberry.field(description="The user agent of the client. Null if it sent none.")
    created_at: datetime = strawberry.field(description="When the event happened.")


@strawberry.input
class AuthLogEntryFilter:
    """Filters security events by all fields that are given. A field that is null or omitted matches all."""

    type: model.AuthEvent | None = strawberry.field(default=None, description="The kind of event.")
    success: bool | None = strawberry.field(
        name="succeeded", default=None, description="Whether the attempt succeeded."
    )
    since: datetime | None = strawberry.field(default=None, description="Happened at this time or later.")
    until: datetime | None = strawberry.field(default=None, description="Happened before this time.")


@strawberry.type
class AuthLogViewer:
    """The viewer's security events."""

    auth_log: Connection[AuthLogEntry] = paged(
        loaders.auth_log_by_user,
        key="user_id",
        filter=AuthLogEntryFilter,
        description="The security events of the viewer's account, newest first.",
    )

"""Records of the accounts house: rows as they are stored, and the values its services take and give."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from app.kit.changes import Changes
from app.kit.db import Scope
from app.kit.errors import Code, Problem
from app.kit.json_values import as_given

MAX_SETTINGS: Final = 200
DEVICE_TTL: Final = timedelta(days=180)

SESSIONS_STREAM: Final = "sessions"
"""The stream of sessions that were ended before they expired: `session.revoked`, with its `session_id`."""


class Role(StrEnum):
    """What a user is allowed to do."""

    USER = "user"
    ADMIN = "admin"


class AuthEvent(StrEnum):
    """Kinds of auth log entries."""

    LOGIN = "login"
    LOGOUT = "logout"
    REGISTER = "register"
    FAILED_LOGIN = "failed_login"
    PASSWORD_RESET = "password_reset"  # noqa: S105  # names of events, not passwords
    SECURITY_ALERT = "security_alert"
    EMAIL_VERIFIED = "email_verified"
    VERIFICATION_SENT = "verification_sent"
    SESSION_REFRESHED = "session_refreshed"
    SESSION_REVOKED = "session_revoked"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    PASSWORD_RESET_REQUESTED = "password_reset_requested"  # noqa: S105
    ROLE_CHANGED = "role_changed"


class Client(msgspec.Struct, frozen=True):
    """Where a request came from, for the logs."""

    ip: str | None = None
    user_agent: str | None = None


class Viewer(msgspec.Struct, frozen=True):
    """The user and session that a request is authenticated as."""

    user_id: UUID
    session_id: UUID
    role: Role
    is_verified: bool
    expires_at: datetime
    client: Client

    @property
    def scope(self) -> Scope:
        """The database scope of this viewer."""
        return Scope(user_id=self.user_id, ip=self.client.ip, user_agent=self.client.user_agent)


class SessionTokens(msgspec.Struct, frozen=True):
    """The tokens of a session, as its owner holds them; only hashes of them are stored."""

    session_id: UUID
    user_id: UUID
    access_token: str
    access_expires_at: datetime
    refresh_token: str
    refresh_expires_at: datetime
    device_token: str | None = None
    """Identifies this device at the next log-in. Issued at log-in, not at a refresh."""


class PublicUser(msgspec.Struct, frozen=True):
    """The public part of a user."""

    id: UUID
    display_name: str


class ListedUser(PublicUser, frozen=True):
    """A user in an admin's list, which is ordered by registration."""

    created_at: datetime


class MailedUser(PublicUser, frozen=True):
    """A user that an admin looks up by e-mail address."""

    email: str


class Account(msgspec.Struct, frozen=True):
    """The part of a user that only they and admins can see."""

    id: UUID
    email: str
    full_name: str
    role: str
    is_verified: bool
    has_national_id: bool
    created_at: datetime


class Profile(msgspec.Struct, frozen=True):
    """How a user appears and trades. `subscription_expires_at` is None for a tier that does not expire."""

    user_id: UUID
    username: str | None
    display_name: str
    avatar_url: str | None
    subscription_tier: str
    subscription_expires_at: datetime | None
    trading_mode: str
    analytics_enabled: bool
    created_at: datetime
    updated_at: datetime


class Setting(msgspec.Struct, frozen=True):
    """A named JSON value of a user."""

    name: str
    value: Any
    updated_at: datetime

    @property
    def given_value(self) -> Any:
        """The value as it was given: Postgres writes 1e308 in full, as an integer."""
        return as_given(self.value)


class Session(msgspec.Struct, frozen=True):
    """A logged-in client. `expires_at` is of its access token, which can be refreshed until `refresh_expires_at`."""

    id: UUID
    created_at: datetime
    refreshed_at: datetime
    expires_at: datetime
    refresh_expires_at: datetime
    ip_address: str | None
    user_agent: str | None


class AuthLogEntry(msgspec.Struct, frozen=True):
    """An authentication event. `error_message` is set on failures only."""

    id: UUID
    event_type: str
    success: bool
    error_message: str | None
    ip_address: str | None
    user_agent: str | None
    created_at: datetime


class AccessCode(msgspec.Struct, frozen=True):
    """A one-time registration code. `redeemed_by` is None before it is redeemed and after that user is deleted."""

    id: UUID
    code: str
    redeemed: bool
    redeemed_by: UUID | None
    redeemed_at: datetime | None
    created_at: datetime


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user to create. `public_key` is the PEM of a key that the user holds; None: Moneta generates and holds one."""

    email: str
    password: str
    full_name: str
    display_name: str | None = None
    national_id: str | None = None
    public_key: str | None = None


class ProfileChanges(Changes, frozen=True, kw_only=True):
    """Changes to a profile: UNSET leaves a field unchanged, None clears it."""

    username: str | UnsetType | None = UNSET
    display_name: str | UnsetType | None = UNSET
    avatar_url: str | UnsetType | None = UNSET
    trading_mode: str | UnsetType = UNSET
    analytics_enabled: bool | UnsetType = UNSET


class AuditVerdict(msgspec.Struct, frozen=True):
    """The result of checking the audit log: how many entries it has, and a message about the first fault."""

    ok: bool
    entries: int
    message: str


class AccessCodeInvalid(Problem):
    """This access code does not exist or has been used."""

    field = "access_code"


class EmailTaken(Problem):
    """This e-mail address has an account already."""

    field = "email"


class BadCredentials(Problem):
    """The e-mail address or the password is wrong."""

    code = Code.UNAUTHENTICATED


class VerificationInvalid(Problem):
    """This code or link is wrong, has been used, or has expired. Ask for a new one."""


class SessionEnded(Problem):
    """This session is over. Log in again."""

    code = Code.UNAUTHENTICATED


class ResetInvalid(Problem):
    """This link is wrong, has been used, or has expired. Ask for a new one."""

    field = "token"


class UsernameTaken(Problem):
    """Somebody else has this username."""

    field = "username"


class OwnRole(Problem):
    """Nobody changes their own role: the last admin would be gone."""

    concerns_id = True

"""The statements of the accounts house, and the rows that only its services read."""

from datetime import datetime
from uuid import UUID

import msgspec

from app.domains.accounts.model import (
    AccessCode,
    Account,
    AuthLogEntry,
    ListedUser,
    MailedUser,
    Profile,
    PublicUser,
    Session,
    Setting,
)
from app.domains.accounts.rules.audit import Anchor, Break, Extent
from app.kit.sql import Command, Keyed, Query, Rows, Statements


class UserCredentials(msgspec.Struct, frozen=True):
    """What a user logs in with."""

    id: UUID
    email: str
    password_hash: str
    is_verified: bool


class LoginCandidate(msgspec.Struct, frozen=True):
    """An account, and whether the client is known: by its network, or by one of the user's sessions."""

    id: UUID
    email: str
    password_hash: str
    by_source: bool
    by_session: bool


class LockedProfile(msgspec.Struct, frozen=True):
    """What an update of a profile does not change is written as it is."""

    username: str | None
    avatar_url: str | None
    trading_mode: str
    analytics_enabled: bool


class UnverifiedUser(msgspec.Struct, frozen=True):
    """A user whose address is not verified. `by_source`: the request comes from a network they logged in from."""

    id: UUID
    email: str
    verification_sent_at: datetime | None
    by_source: bool


class ResetLinks(msgspec.Struct, frozen=True):
    """A user and the reset links that are valid now: how many, and when the newest was mailed."""

    id: UUID
    email: str
    live: int
    newest: datetime | None
    by_source: bool


class TokenSession(msgspec.Struct, frozen=True):
    """The session of an access token, which expires at `expires_at`."""

    user_id: UUID
    session_id: UUID
    role: str
    is_verified: bool
    expires_at: datetime


class SealedNationalId(msgspec.Struct, frozen=True):
    """A user's national id, encrypted."""

    id: UUID
    national_id_kek_id: str
    national_id_wrapped_key: bytes
    national_id_ciphertext: bytes


class UserSql(Statements, file="users.sql"):
    """Users: what they are, and what only the system reads of them."""

    users_by_ids: Query[PublicUser]
    accounts_by_ids: Query[Account]
    account_by_email: Query[Account]
    users_by_emails: Query[MailedUser]
    users: Rows[ListedUser]
    insert_user: Query[UUID]
    user_by_email: Query[UserCredentials]
    user_by_id: Query[UserCredentials]
    users_with_emails: Query[tuple[str, str]]
    user_exists: Query[bool]
    set_role: Command
    make_admin: Command
    national_ids_to_rewrap: Query[SealedNationalId]
    rewrap_national_ids: Command


class ProfileSql(Statements, file="profiles.sql"):
    """Profiles and display names."""

    profiles_by_users: Query[Profile]
    insert_profile: Command
    lock_profile: Query[LockedProfile]
    lock_username: Command
    username_is_taken: Query[bool]
    update_profile: Command
    update_display_name: Command


class SettingSql(Statements, file="settings.sql"):
    """Users' settings."""

    settings_by_users: Keyed[Setting]
    own_settings_by_names: Query[Setting]
    lock_setting_names: Command
    count_other_settings: Query[int]
    put_setting: Command
    delete_setting: Command


class SessionSql(Statements, file="sessions.sql"):
    """Sessions and their refresh tokens."""

    sessions_by_ids: Query[Session]
    sessions_by_user: Rows[Session]
    insert_session: Command
    renew_session: Command
    session_of_token: Query[TokenSession]
    session_expiries: Query[tuple[UUID, datetime]]
    viewer_of_session: Query[tuple[str, bool]]
    delete_session: Query[UUID]
    delete_sessions: Query[UUID]
    delete_old_sessions: Command
    insert_refresh_token: Command
    lock_session_of_refresh_token: Query[tuple[UUID, UUID]]
    refresh_token: Query[tuple[datetime, datetime | None]]
    use_refresh_token: Command


class CredentialSql(Statements, file="credentials.sql"):
    """Passwords and the links that reset them."""

    lock_credentials: Query[tuple[str, bool]]
    replace_password: Command
    set_password: Command
    lock_reset_links: Query[ResetLinks]
    insert_reset_token: Command
    reset_token_user: Query[tuple[UUID, str]]
    use_reset_token: Query[UUID]
    delete_reset_tokens: Command
    delete_old_reset_tokens: Command


class DeviceSql(Statements, file="devices.sql"):
    """Where users log in from."""

    login_candidate: Query[LoginCandidate]
    remember_source: Command
    delete_old_sources: Command


class VerificationSql(Statements, file="verification.sql"):
    """Verification codes and links."""

    lock_unverified: Query[UnverifiedUser]
    set_verification_token: Command
    supersede_otps: Command
    insert_otp: Command
    guess_otp: Query[tuple[UUID, UUID, str]]
    use_otp: Command
    lock_verification_token: Query[UUID]
    verify_user: Command
    delete_old_otps: Command


class AccessCodeSql(Statements, file="access_codes.sql"):
    """Access codes."""

    access_codes_by_ids: Query[AccessCode]
    access_codes: Rows[AccessCode]
    access_code_is_spent: Query[bool]
    lock_free_access_code: Query[UUID]
    redeem_access_code: Command
    insert_access_codes: Query[tuple[UUID, str]]
    unspent_codes: Query[str]


class AuthLogSql(Statements, file="auth_log.sql"):
    """The auth log."""

    auth_log_by_user: Rows[AuthLogEntry]
    insert_auth_log: Command
    delete_old_auth_logs: Command


class AuditSql(Statements, file="audit_log.sql"):
    """The audit log's hash chain."""

    audit_extent: Query[Extent]
    audit_anchors: Query[Anchor]
    audit_break: Query[Break]

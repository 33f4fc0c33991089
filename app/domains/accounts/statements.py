"""The statements about accounts."""

from datetime import datetime
from uuid import UUID

from app.domains.accounts.model import (
    AccessCode,
    Account,
    AuthLogEntry,
    ListedUser,
    Profile,
    PublicUser,
    Session,
    Setting,
)
from app.kit.sql import Command, Keyed, Query, Statements, beside


class AccountSql(Statements, file="queries.sql"):
    """What the loaders read."""

    users_by_ids: Query[PublicUser]
    accounts_by_ids: Query[Account]
    account_by_email: Query[Account]
    profiles_by_users: Query[Profile]
    settings_by_users: Keyed[Setting]
    own_settings_by_names: Query[Setting]
    sessions_by_ids: Query[Session]
    sessions_page: Keyed[Session]
    sessions_count: Keyed[int]
    auth_log_page: Keyed[AuthLogEntry]
    auth_log_count: Keyed[int]
    access_codes_by_ids: Query[AccessCode]
    access_codes_page: Query[AccessCode]
    access_codes_count: Query[int]
    users_page: Query[ListedUser]
    users_count: Query[int]


class AccountWriteSql(Statements, file="writes.sql"):
    """What the services read and write."""

    access_code_is_spent: Query[bool]
    lock_free_access_code: Query[UUID]
    redeem_access_code: Command
    insert_access_codes: Query[tuple[UUID, str]]
    insert_user: Query[UUID]
    insert_profile: Command
    login_candidate: Query[tuple[UUID, str, str, bool, bool]]
    remember_source: Command
    delete_old_sources: Command
    user_by_email: Query[tuple[UUID, str, str, bool]]
    users_with_emails: Query[tuple[str, str]]
    unspent_codes: Query[str]
    user_by_id: Query[tuple[UUID, str, str, bool]]
    lock_credentials: Query[tuple[str, bool]]
    replace_password: Command
    set_password: Command
    set_role: Command
    make_admin: Command
    user_exists: Query[bool]
    national_ids_to_rewrap: Query[tuple[UUID, str, bytes, bytes]]
    rewrap_national_id: Command
    lock_unverified: Query[tuple[UUID, str, datetime | None, bool]]
    set_verification_token: Command
    supersede_otps: Command
    insert_otp: Command
    guess_otp: Query[tuple[UUID, UUID, str]]
    use_otp: Command
    lock_verification_token: Query[UUID]
    verify_user: Command
    insert_session: Command
    renew_session: Command
    insert_refresh_token: Command
    lock_session_of_refresh_token: Query[tuple[UUID, UUID]]
    refresh_token: Query[tuple[datetime, datetime]]
    use_refresh_token: Command
    viewer_of_session: Query[tuple[str, bool]]
    session_of_token: Query[tuple[UUID, UUID, str, bool, datetime]]
    session_expiries: Query[tuple[UUID, datetime]]
    delete_session: Query[UUID]
    delete_sessions: Query[UUID]
    lock_reset_links: Query[tuple[UUID, str, int, datetime, bool]]
    insert_reset_token: Command
    reset_token_user: Query[tuple[UUID, str]]
    use_reset_token: Query[UUID]
    delete_reset_tokens: Command
    lock_profile: Query[tuple[str, str, str, str]]
    lock_username: Command
    username_is_taken: Query[bool]
    update_profile: Command
    update_display_name: Command
    lock_setting_names: Command
    count_other_settings: Query[int]
    put_setting: Command
    delete_setting: Command
    insert_auth_log: Command
    delete_old_sessions: Command
    delete_old_otps: Command
    delete_old_reset_tokens: Command
    delete_old_auth_logs: Command
    audit_extent: Query[tuple[int, int, str, int, str, int, str]]
    audit_anchors: Query[tuple[datetime, int, str, bool]]
    audit_break: Query[tuple[int, str]]


Q = beside(__file__, "writes.sql")

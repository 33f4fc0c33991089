"""Loaders of the accounts house."""

from app.domains.accounts.statements import (
    AccessCodeSql,
    AuthLogSql,
    ProfileSql,
    SessionSql,
    SettingSql,
    UserSql,
)
from app.kit.loaders import Audience, many, one, page

user_by_id = one(UserSql.users_by_ids, key="id", audience=Audience.PUBLIC)
user_by_email = one(UserSql.users_by_emails, key="email", audience=Audience.VIEWER)
account_by_id = one(UserSql.accounts_by_ids, key="id", audience=Audience.VIEWER)
profile_by_user = one(ProfileSql.profiles_by_users, key="user_id", audience=Audience.VIEWER)

settings_by_user = many(SettingSql.settings_by_users, audience=Audience.VIEWER)
own_setting_by_name = one(SettingSql.own_settings_by_names, key="name", audience=Audience.VIEWER)

session_by_id = one(SessionSql.sessions_by_ids, key="id", audience=Audience.VIEWER)
sessions_by_user = page(
    SessionSql.sessions_page, count=SessionSql.sessions_count, order=("created_at", "id"), audience=Audience.VIEWER
)
auth_log_by_user = page(
    AuthLogSql.auth_log_page, count=AuthLogSql.auth_log_count, order=("created_at", "id"), audience=Audience.VIEWER
)

access_code_by_id = one(AccessCodeSql.access_codes_by_ids, key="id", audience=Audience.VIEWER)
access_codes = page(
    AccessCodeSql.access_codes_page,
    count=AccessCodeSql.access_codes_count,
    order=("created_at", "id"),
    filters=("redeemed",),
    audience=Audience.VIEWER,
)
users = page(
    UserSql.users_page,
    count=UserSql.users_count,
    order=("created_at", "id"),
    filters=("email_prefix",),
    audience=Audience.VIEWER,
)

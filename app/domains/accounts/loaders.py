"""Loaders of the accounts house."""

from app.domains.accounts.model import Role
from app.domains.accounts.statements import (
    AccessCodeSql,
    AuthLogSql,
    ProfileSql,
    SessionSql,
    SettingSql,
    UserSql,
)
from app.kit.lists import at_least, before, by, constant, equals, starts_with
from app.kit.loaders import Audience, many, one, page

NEWEST = by("created_at", "id", descending=True)

user_by_id = one(UserSql.users_by_ids, key="id", audience=Audience.PUBLIC)
account_by_id = one(UserSql.accounts_by_ids, key="id", audience=Audience.VIEWER)
profile_by_user = one(ProfileSql.profiles_by_users, key="user_id", audience=Audience.VIEWER)

settings_by_user = many(SettingSql.settings_by_users, audience=Audience.VIEWER)
own_setting_by_name = one(SettingSql.own_settings_by_names, key="name", audience=Audience.VIEWER)

session_by_id = one(SessionSql.sessions_by_ids, key="id", audience=Audience.VIEWER)
sessions_by_user = page(SessionSql.sessions_by_user, orders={"CREATED_AT": NEWEST}, audience=Audience.VIEWER)
auth_log_by_user = page(
    AuthLogSql.auth_log_by_user,
    orders={"CREATED_AT": NEWEST},
    filters={
        "type": equals("event_type"),
        "success": constant("success"),
        "since": at_least("created_at"),
        "until": before("created_at"),
    },
    audience=Audience.VIEWER,
)

access_code_by_id = one(AccessCodeSql.access_codes_by_ids, key="id", audience=Audience.VIEWER)
access_codes = page(
    AccessCodeSql.access_codes,
    orders={"CREATED_AT": NEWEST},
    filters={"redeemed": constant("redeemed")},
    audience=Audience.VIEWER,
)
users = page(
    UserSql.users,
    orders={"CREATED_AT": NEWEST},
    filters={
        "email_prefix": starts_with("email"),
        "role": constant("role", Role),
        "verified": constant("is_verified"),
        "since": at_least("created_at"),
        "until": before("created_at"),
    },
    audience=Audience.VIEWER,
)

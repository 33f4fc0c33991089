"""How records of accounts are read."""

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
from app.kit.loading import Audience, many, one, page
from app.kit.sql import beside

Q = beside(__file__)

user_by_id = one(PublicUser, Q.users_by_ids, key="id", audience=Audience.PUBLIC)
account_by_id = one(Account, Q.accounts_by_ids, key="id", audience=Audience.VIEWER)
profile_by_user = one(Profile, Q.profiles_by_users, key="user_id", audience=Audience.VIEWER)

settings_by_user = many(Setting, Q.settings_by_users, audience=Audience.VIEWER)
own_setting_by_name = one(Setting, Q.own_settings_by_names, key="name", audience=Audience.VIEWER)

session_by_id = one(Session, Q.sessions_by_ids, key="id", audience=Audience.VIEWER)
sessions_by_user = page(
    Session, Q.sessions_page, count=Q.sessions_count, order=("created_at", "id"), audience=Audience.VIEWER
)
auth_log_by_user = page(
    AuthLogEntry, Q.auth_log_page, count=Q.auth_log_count, order=("created_at", "id"), audience=Audience.VIEWER
)

access_code_by_id = one(AccessCode, Q.access_codes_by_ids, key="id", audience=Audience.VIEWER)
access_codes = page(
    AccessCode,
    Q.access_codes_page,
    count=Q.access_codes_count,
    order=("created_at", "id"),
    keyed=False,
    filters=("redeemed",),
    audience=Audience.VIEWER,
)
users = page(
    ListedUser,
    Q.users_page,
    count=Q.users_count,
    order=("created_at", "id"),
    keyed=False,
    filters=("email_prefix",),
    audience=Audience.VIEWER,
)

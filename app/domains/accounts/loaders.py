"""How records of accounts are read."""

from app.domains.accounts.statements import AccountSql
from app.kit.loaders import Audience, many, one, page

user_by_id = one(AccountSql.users_by_ids, key="id", audience=Audience.PUBLIC)
account_by_id = one(AccountSql.accounts_by_ids, key="id", audience=Audience.VIEWER)
profile_by_user = one(AccountSql.profiles_by_users, key="user_id", audience=Audience.VIEWER)

settings_by_user = many(AccountSql.settings_by_users, audience=Audience.VIEWER)
own_setting_by_name = one(AccountSql.own_settings_by_names, key="name", audience=Audience.VIEWER)

session_by_id = one(AccountSql.sessions_by_ids, key="id", audience=Audience.VIEWER)
sessions_by_user = page(
    AccountSql.sessions_page, count=AccountSql.sessions_count, order=("created_at", "id"), audience=Audience.VIEWER
)
auth_log_by_user = page(
    AccountSql.auth_log_page, count=AccountSql.auth_log_count, order=("created_at", "id"), audience=Audience.VIEWER
)

access_code_by_id = one(AccountSql.access_codes_by_ids, key="id", audience=Audience.VIEWER)
access_codes = page(
    AccountSql.access_codes_page,
    count=AccountSql.access_codes_count,
    order=("created_at", "id"),
    filters=("redeemed",),
    audience=Audience.VIEWER,
)
users = page(
    AccountSql.users_page,
    count=AccountSql.users_count,
    order=("created_at", "id"),
    filters=("email_prefix",),
    audience=Audience.VIEWER,
)

"""Loaders of the system house."""

from app.domains.system.model import SettingKey
from app.domains.system.statements import SystemSql
from app.kit.lists import by, constant
from app.kit.loaders import Audience, many, page

system_settings = many(SystemSql.system_settings, audience=Audience.PUBLIC)
setting_changes = page(
    SystemSql.setting_changes,
    orders={"CHANGED_AT": by("changed_at", "id", descending=True)},
    filters={"key": constant("key", SettingKey)},
    audience=Audience.VIEWER,
)

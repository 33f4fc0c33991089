"""The statements about settings of the system."""

from typing import Any

from app.domains.system.model import SettingChange, StoredSettings
from app.kit.sql import Command, Keyed, Query, Rows, Statements


class SystemSql(Statements, file="settings.sql"):
    """Settings of the system, and their changes."""

    system_settings: Keyed[StoredSettings]
    current_settings: Query[StoredSettings]
    lock_setting: Query[Any]
    set_setting: Command
    setting_changes: Rows[SettingChange]

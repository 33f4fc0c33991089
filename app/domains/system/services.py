"""Changing settings of the system, and what each process knows of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import msgspec
import structlog

from app.domains.accounts.model import Role, Viewer
from app.domains.accounts.services.auth_log import system_scope
from app.domains.system.model import AT_FIRST, Maintenance, NewMaintenance, NewValue, SystemSettings, Value, value_of
from app.domains.system.rules import begun, checked, key_of
from app.domains.system.statements import SystemSql
from app.kit.clock import Clock
from app.kit.db import Database, Tx
from app.kit.errors import Forbidden, Unavailable
from app.kit.maintenance import MaintenanceSwitch
from app.kit.tasks import end, heed_cancellation

REFRESH_EVERY_S: Final = 0.5
"""So that a change holds everywhere within a second."""

log = structlog.get_logger(__name__)


class SettingsCache:
    """The settings as this process knows them. While the database is away, they stay as they were."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.current: SystemSettings = AT_FIRST
        self.maintenance = MaintenanceSwitch()

    async def refresh(self) -> None:
        """Reads the settings. Raises Unavailable."""
        (stored,) = await self._database.fetch(SystemSql.current_settings)
        self.current = stored.settings
        maintenance = self.current.maintenance
        if maintenance.enabled:
            self.maintenance.turn_on(maintenance.message, maintenance.retry_after_s)
        else:
            self.maintenance.turn_off()

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Keeps them up to date for as long as the context lasts; they are when it begins. Raises Unavailable."""
        await self.refresh()
        running = asyncio.create_task(self._run())
        try:
            yield
        finally:
            await end(running)

    async def _run(self) -> None:
        while True:
            heed_cancellation()
            await asyncio.sleep(REFRESH_EVERY_S)
            try:
                await self.refresh()
            except Unavailable as problem:
                log.info("system_settings.not_read", reason=problem.message)
            except Exception:
                log.exception("system_settings.not_read")


@dataclass(frozen=True)
class SystemServices:
    """The services of the system house."""

    database: Database
    clock: Clock
    cache: SettingsCache
    """Other houses read `cache.current`."""

    async def update(self, viewer: Viewer, given: NewValue) -> None:
        """Changes a setting, as an admin. The value that it has changes nothing. Raises Forbidden, InvalidInput."""
        if viewer.role is not Role.ADMIN:
            raise Forbidden
        key, wanted = key_of(given), checked(given)

        async def work(tx: Tx) -> None:
            (stored,) = await tx.fetch(SystemSql.lock_setting, key)
            before, now = value_of(key, stored), self.clock.now()
            after: Value
            if isinstance(wanted, NewMaintenance):
                assert isinstance(before, Maintenance)
                after = begun(before, wanted, now)
            else:
                after = wanted
            if after != before:
                await tx.execute(SystemSql.set_setting, key, msgspec.to_builtins(after), viewer.user_id, now)

        await self.database.write(system_scope(viewer.client, viewer.user_id), work)

"""Deletion of what has expired."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from app.domains.accounts.statements import AuthLogSql, CredentialSql, DeviceSql, SessionSql, VerificationSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database
from app.kit.sql import Command

SESSION_RETENTION: Final = timedelta(days=30)
SOURCE_RETENTION: Final = timedelta(days=180)
OTP_RETENTION: Final = timedelta(hours=24)
AUTH_LOG_RETENTION: Final = timedelta(days=90)


@dataclass(frozen=True)
class Maintenance:
    """Scheduled maintenance of accounts. Each method returns a line about what it did."""

    database: Database
    clock: Clock

    async def delete_old_sessions(self) -> str:
        """Deletes sessions whose access token expired 30 days ago and that can no longer be refreshed.

        Also deletes networks that users have not logged in from for 180 days.
        """
        now = self.clock.now()
        await self._delete(DeviceSql.delete_old_sources, now - SOURCE_RETENTION)
        return f"{await self._delete(SessionSql.delete_old_sessions, now - SESSION_RETENTION, now)} deleted"

    async def delete_old_secrets(self) -> str:
        """Deletes one-time codes and reset links 24 hours after they expired."""
        before = self.clock.now() - OTP_RETENTION
        codes, links = (
            await self._delete(VerificationSql.delete_old_otps, before),
            await self._delete(CredentialSql.delete_old_reset_tokens, before),
        )
        return f"{codes} codes and {links} reset links deleted"

    async def delete_old_auth_logs(self) -> str:
        """Deletes entries of the auth log after 90 days."""
        return f"{await self._delete(AuthLogSql.delete_old_auth_logs, self.clock.now() - AUTH_LOG_RETENTION)} deleted"

    async def _delete(self, command: Command, *args: object) -> int:
        return await self.database.write(SYSTEM, lambda tx: tx.execute(command, *args))

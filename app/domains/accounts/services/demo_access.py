"""Whether the published demo credentials give access to this database."""

from dataclasses import dataclass

from app.domains.accounts.rules import demo_credentials
from app.domains.accounts.statements import AccessCodeSql, UserSql
from app.kit.crypto.passwords import Passwords
from app.kit.db import SYSTEM, Database


@dataclass(frozen=True)
class DemoAccess:
    """Looks for published credentials in a database that is open to the public."""

    database: Database
    passwords: Passwords

    async def findings(self) -> list[str]:
        """Returns a message about each credential that gives access. Raises Unavailable."""
        async with self.database.snapshot(SYSTEM) as tx:
            users = await tx.fetch(UserSql.users_with_emails, list(demo_credentials.EMAILS))
            codes = await tx.fetch(AccessCodeSql.unspent_codes, list(demo_credentials.ACCESS_CODES))
        found = [
            f"{email} has the published password"
            for email, password_hash in users
            if (await self.passwords.verify(demo_credentials.PASSWORD, password_hash)).ok
        ]
        return found + [f"access code {code} is unspent" for code in codes]

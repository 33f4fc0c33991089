"""Whether what the documentation publishes gives access here."""

from dataclasses import dataclass

from app.domains.accounts.rules import published
from app.domains.accounts.statements import Q
from app.kit.crypto.passwords import Passwords
from app.kit.db import SYSTEM, Database


@dataclass(frozen=True)
class Published:
    """Looks for demo data in a database that strangers reach."""

    database: Database
    passwords: Passwords

    async def access(self) -> list[str]:
        """What gives access, in words; nothing where all is well. Raises Unavailable."""
        async with self.database.snapshot(SYSTEM) as tx:
            users = await tx.fetch(Q.users_with_emails, list(published.EMAILS))
            codes = await tx.fetch(Q.unspent_codes, list(published.ACCESS_CODES))
        found = [
            f"{row['email']} has the published password"
            for row in users
            if (await self.passwords.verify(published.PASSWORD, row["password_hash"])).ok
        ]
        return found + [f"access code {row['code']} is unspent" for row in codes]

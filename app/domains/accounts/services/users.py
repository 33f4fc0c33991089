"""Lookup of users for other houses."""

from dataclasses import dataclass

from app.domains.accounts.model import Account
from app.domains.accounts.rules import identity
from app.domains.accounts.statements import UserSql
from app.kit.db import SYSTEM, Database


@dataclass(frozen=True)
class Users:
    """Finds users."""

    database: Database

    async def by_email(self, email: str) -> Account | None:
        """Returns the account of an e-mail address. Raises InvalidInput."""
        address = identity.email(email)
        return await self.database.read(SYSTEM, lambda tx: tx.fetch_one(UserSql.account_by_email, address))

"""Finding users, for the rest of Moneta."""

from dataclasses import dataclass

from app.domains.accounts.loaders import Q
from app.domains.accounts.model import Account
from app.domains.accounts.rules import identity
from app.kit.db import SYSTEM, Database


@dataclass(frozen=True)
class Users:
    """Finds users."""

    database: Database

    async def by_email(self, email: str) -> Account | None:
        """Whose address this is. Raises InvalidInput."""
        address = identity.email(email)
        row = await self.database.read(SYSTEM, lambda tx: tx.fetch_one(Q.account_by_email, address))
        return None if row is None else Account(*row)

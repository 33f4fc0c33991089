"""Alice's tenant, its projects and those who take part."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from app.domains.campaigns.participants.model import NewParticipant
from app.domains.campaigns.projects.model import FixedDistribution, NewProject
from app.domains.campaigns.services import CampaignsServices
from app.domains.tenancy.tenants.model.tenants import Tenancy
from app.kit.db import Scope
from tests.domains.tenancy.office import Office
from tests.statements import statement

SEED = bytes(range(32))
SOLANA_SECRET = str(Pubkey(SEED))
"""The bytes of the private key in Base58."""
SOLANA_KEY = Keypair.from_seed(SEED)
SOLANA = str(SOLANA_KEY.pubkey())
ETHEREUM_SECRET = "0x" + "11" * 32
ETHEREUM = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
"""The address of that key."""

KNOWN = {"telegram_id", "discord_id", "username", "wallets"}
"""What a participant is known by."""


def in_test_mode(tenancy: Tenancy) -> Tenancy:
    return msgspec.structs.replace(tenancy, livemode=False)


@dataclass
class Fair:
    """What the tests do in campaigns."""

    office: Office
    services: CampaignsServices
    alice: Tenancy
    """The owner of the tenant acme."""

    async def project(self, by: Tenancy | None = None, **given: Any) -> UUID:
        """A project that was created."""
        plain: dict[str, Any] = {"name": "Drop", "distribution": FixedDistribution(5)}
        new = NewProject(**plain | given)
        return await self.services.projects.create(by or self.alice, new, self.office.key)

    async def rows(self, scope: Scope, sql: str) -> int:
        """How many rows a statement reads or changes."""
        return await self.office.database.write(scope, lambda tx: tx.execute(statement("tried", "", sql)))

    async def row(self, table: str, id: UUID, key: str = "id") -> dict[str, Any]:
        """A row, as the owner of the database sees it."""
        row = await self.office.owner.fetchrow(f"SELECT * FROM {table} WHERE {key} = $1", id)
        assert row is not None
        return dict(row)

    async def participant(self, by: Tenancy | None = None, **given: Any) -> UUID:
        """A participant who was created."""
        key = self.office.key
        new = NewParticipant(**({"username": key} if not given.keys() & KNOWN else {}) | given)
        return await self.services.participants.create(by or self.alice, new, key)

"""Proving whose a wallet is."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.networks.rules import is_signed, typed_data
from app.domains.campaigns.participants.model import (
    CHALLENGE_TTL,
    Challenge,
    ChallengeInvalid,
    IssuedChallenge,
    Participant,
    WalletProven,
)
from app.domains.campaigns.participants.rules import challenge
from app.domains.campaigns.participants.statements import ProofSql
from app.domains.tenancy.tenants.model.tenants import MemberRole, Tenancy
from app.domains.tenancy.tenants.services.access import Access, system_scope
from app.kit.clock import Clock
from app.kit.crypto.tokens import new_token
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import InvalidInput, NotFound

NONCE_BYTES: Final = 16


@dataclass(frozen=True)
class Proofs:
    """What participants prove. A message is good once, and for a time."""

    database: Database
    clock: Clock
    access: Access

    async def start(self, tenancy: Tenancy, participant_id: UUID, network: Network) -> IssuedChallenge:
        """What the owner of a wallet of a participant has to sign, in place of an earlier one. Raises NotFound,
        Forbidden, TenantNotActive.
        """

        async def work(tx: Tx) -> IssuedChallenge:
            await self.access.check(tx, tenancy, MemberRole.ADMIN)
            row, until = (
                (participant_id, network, tenancy.tenant_id, tenancy.livemode),
                self.clock.now() + CHALLENGE_TTL,
            )
            address = await tx.fetch_one(ProofSql.address_of_wallet, *row)
            if address is None:
                raise NotFound(Participant)
            nonce = new_token(NONCE_BYTES)
            message = challenge(tenancy.slug, participant_id, network, address, nonce=nonce, until=until)
            await tx.execute(ProofSql.put_challenge, *row, address, message, until)
            typed = typed_data(message) if network is Network.ETHEREUM else None
            return IssuedChallenge(address, message, until, typed)

        return await self.database.write(system_scope(tenancy), work)

    async def verify(self, tenancy: Tenancy, participant_id: UUID, network: Network, signature: str) -> None:
        """Notes that a wallet was proven by the signature of what `start` gave, which is then used up. Participants who
        have named it without a proof lose it. Raises InvalidInput, NotFound, Forbidden, TenantNotActive,
        ChallengeInvalid, WalletProven.
        """
        row = participant_id, network, tenancy.tenant_id, tenancy.livemode

        async def read(tx: Tx) -> Challenge:
            await self.access.check(tx, tenancy, MemberRole.ADMIN)
            found = await tx.fetch_one(ProofSql.challenge_of_wallet, *row, self.clock.now())
            if found is None:
                raise ChallengeInvalid
            return found

        asked = await self.database.read(system_scope(tenancy), read)
        if not is_signed(asked.message, signature, network, asked.address):
            raise InvalidInput("signature", "This is no signature of the message by the private key of the wallet.")

        async def work(tx: Tx) -> None:
            await self.access.check(tx, tenancy, MemberRole.ADMIN)
            now, wallet = self.clock.now(), (tenancy.tenant_id, tenancy.livemode, network, asked.address)
            claims = {each.participant_id: each.is_proven for each in await tx.fetch(ProofSql.lock_claims, *wallet)}
            if any(is_proven for each, is_proven in claims.items() if each != participant_id):
                raise WalletProven
            used = await tx.fetch_one(ProofSql.use_challenge, participant_id, network, asked.message, now)
            if used is None or participant_id not in claims:
                raise ChallengeInvalid
            await tx.execute(ProofSql.remove_claims, *wallet, participant_id)
            await tx.execute(ProofSql.set_verified, participant_id, network, now)

        await self.database.write(system_scope(tenancy), work)

    async def remove_expired(self) -> str:
        """Removes messages that have expired."""
        await self.database.write(SYSTEM, lambda tx: tx.execute(ProofSql.remove_challenges, self.clock.now()))
        return "done"

"""Proving whose a wallet is, and who of Moneta's users a participant is."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.domains.accounts.model import Viewer
from app.domains.accounts.services.auth_log import system_scope as system_scope_of
from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.networks.rules import is_signed, typed_data
from app.domains.campaigns.participants.model import (
    CHALLENGE_TTL,
    LINK_TTL,
    AlreadyLinked,
    Challenge,
    ChallengeInvalid,
    IssuedChallenge,
    Link,
    LinkInvalid,
    NotLinked,
    Participant,
    ParticipantErased,
    WalletProven,
)
from app.domains.campaigns.participants.rules import challenge
from app.domains.campaigns.participants.statements import ParticipantSql, ProofSql
from app.domains.tenancy.tenants.model.tenants import MemberRole, Tenancy
from app.domains.tenancy.tenants.services.access import Access, system_scope
from app.kit.clock import Clock
from app.kit.crypto.tokens import digest, new_token
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import InvalidInput, NotFound

NONCE_BYTES: Final = 16


@dataclass(frozen=True)
class Proofs:
    """What participants prove. A message and a token are good once, and for a time."""

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
        """Notes that a wallet was proven by the signature of what `start` gave, which is then used up. Raises
        InvalidInput, NotFound, Forbidden, TenantNotActive, ChallengeInvalid, WalletProven.
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
            now, address = self.clock.now(), await tx.fetch_one(ProofSql.address_of_wallet, *row)
            used = await tx.fetch_one(ProofSql.use_challenge, participant_id, network, asked.message, now)
            if used is None or used != address:
                raise ChallengeInvalid
            of_tenant = tenancy.tenant_id, tenancy.livemode, network, address, participant_id
            if await tx.fetch_one(ProofSql.is_proven, *of_tenant):
                raise WalletProven
            await tx.execute(ProofSql.set_verified, participant_id, network, now)

        await self.database.write(system_scope(tenancy), work)

    async def issue_link(self, tenancy: Tenancy, participant_id: UUID) -> Link:
        """A token with which one of Moneta's users links themself to a participant, in place of an earlier one. Raises
        NotFound, Forbidden, TenantNotActive, ParticipantErased, AlreadyLinked.
        """
        token, until = new_token(), self.clock.now() + LINK_TTL

        async def work(tx: Tx) -> None:
            await self.access.check(tx, tenancy, MemberRole.ADMIN)
            row = participant_id, tenancy.tenant_id, tenancy.livemode
            found = await tx.fetch_one(ParticipantSql.lock_participant, *row)
            if found is None:
                raise NotFound(Participant)
            if found.erased_at is not None:
                raise ParticipantErased
            if found.user_id is not None:
                raise AlreadyLinked
            await tx.execute(ProofSql.put_link, *row, digest(token), until)

        await self.database.write(system_scope(tenancy), work)
        return Link(token, until)

    async def link(self, viewer: Viewer, token: str) -> UUID:
        """Links the viewer to the participant of a token, which is then used up; returns the participant's ID. Raises
        LinkInvalid, AlreadyLinked.
        """

        async def work(tx: Tx) -> UUID:
            found = await tx.fetch_one(ProofSql.lock_link, digest(token), self.clock.now())
            if found is None or not found.is_open:
                raise LinkInvalid
            of_user = found.tenant_id, found.livemode, viewer.user_id
            if found.is_linked or await tx.fetch_one(ProofSql.is_participant, *of_user):
                raise AlreadyLinked
            await tx.execute(ProofSql.set_user, found.participant_id, viewer.user_id)
            await tx.execute(ProofSql.delete_link, found.participant_id)
            return found.participant_id

        return await self.database.write(system_scope_of(viewer.client, viewer.user_id), work)

    async def unlink(self, tenancy: Tenancy, participant_id: UUID) -> None:
        """Unlinks the user of a participant, as its tenant. Raises NotFound, Forbidden, TenantNotActive, NotLinked."""

        async def work(tx: Tx) -> None:
            await self.access.check(tx, tenancy, MemberRole.ADMIN)
            row = participant_id, tenancy.tenant_id, tenancy.livemode
            found = await tx.fetch_one(ParticipantSql.lock_participant, *row)
            if found is None:
                raise NotFound(Participant)
            if found.user_id is None:
                raise NotLinked
            await tx.execute(ProofSql.unlink, participant_id)

        await self.database.write(system_scope(tenancy), work)

    async def unlink_self(self, viewer: Viewer, participant_id: UUID) -> None:
        """Unlinks the viewer from a participant, whatever the subscription of its tenant is. Raises NotFound."""

        async def work(tx: Tx) -> None:
            if await tx.fetch_one(ProofSql.lock_own, participant_id, viewer.user_id) is None:
                raise NotFound(Participant)
            await tx.execute(ProofSql.unlink, participant_id)

        await self.database.write(system_scope_of(viewer.client, viewer.user_id), work)

    async def remove_expired(self) -> str:
        """Removes messages and tokens that have expired."""

        async def work(tx: Tx) -> None:
            now = self.clock.now()
            await tx.execute(ProofSql.remove_challenges, now)
            await tx.execute(ProofSql.remove_links, now)

        await self.database.write(SYSTEM, work)
        return "done"

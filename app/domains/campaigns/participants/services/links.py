"""Linking users to participants."""

from dataclasses import dataclass
from uuid import UUID

from app.domains.accounts.model import Viewer
from app.domains.accounts.services.auth_log import system_scope as system_scope_of
from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.networks.rules import address, is_signed, typed_data
from app.domains.campaigns.participants.model import (
    CHALLENGE_TTL,
    LINK_TTL,
    AlreadyLinked,
    Challenge,
    ChallengeInvalid,
    IssuedChallenge,
    Link,
    LinkInvalid,
    NobodyHasWallet,
    NotLinked,
    Participant,
    ParticipantErased,
)
from app.domains.campaigns.participants.rules import link_challenge
from app.domains.campaigns.participants.services.proofs import NONCE_BYTES
from app.domains.campaigns.participants.statements import LinkSql, ParticipantSql, ProofSql
from app.domains.tenancy.tenants.model.tenants import MemberRole, Tenancy, Tenant
from app.domains.tenancy.tenants.services.access import Access, system_scope
from app.kit.clock import Clock
from app.kit.crypto.tokens import digest, new_token
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import InvalidInput, NotFound


@dataclass(frozen=True)
class Links:
    """Who of Moneta's users a participant is: by a token of the tenant, or by a wallet that the user signs with. Both
    are good once, and for a time.
    """

    database: Database
    clock: Clock
    access: Access

    async def issue(self, tenancy: Tenancy, participant_id: UUID) -> Link:
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
            await tx.execute(LinkSql.put_link, *row, digest(token), until)

        await self.database.write(system_scope(tenancy), work)
        return Link(token, until)

    async def link(self, viewer: Viewer, token: str) -> UUID:
        """Links the viewer to the participant of a token, which is then used up; returns the participant's ID. Raises
        LinkInvalid, AlreadyLinked.
        """

        async def work(tx: Tx) -> UUID:
            found = await tx.fetch_one(LinkSql.lock_link, digest(token), self.clock.now())
            if found is None or not found.is_open:
                raise LinkInvalid
            of_user = found.tenant_id, found.livemode, viewer.user_id
            if found.is_linked or await tx.fetch_one(LinkSql.is_participant, *of_user):
                raise AlreadyLinked
            await tx.execute(LinkSql.set_user, found.participant_id, viewer.user_id)
            await tx.execute(LinkSql.delete_link, found.participant_id)
            return found.participant_id

        return await self.database.write(system_scope_of(viewer.client, viewer.user_id), work)

    async def start(self, viewer: Viewer, slug: str, network: Network, wallet: str) -> IssuedChallenge:
        """What the viewer signs, in place of an earlier one, to be linked to the participant of a tenant with a wallet.
        It is the same whether there is one. Raises InvalidInput, NotFound.
        """
        checked = address(wallet, network, "address", off_curve=False)

        async def work(tx: Tx) -> IssuedChallenge:
            tenant_id = await tx.fetch_one(LinkSql.open_tenant, slug)
            if tenant_id is None:
                raise NotFound(Tenant)
            until, nonce = self.clock.now() + CHALLENGE_TTL, new_token(NONCE_BYTES)
            message = link_challenge(slug, viewer.user_id, network, checked, nonce=nonce, until=until)
            row = viewer.user_id, tenant_id, True, network
            await tx.execute(LinkSql.put_link_challenge, *row, checked, message, until)
            return IssuedChallenge(
                checked, message, until, typed_data(message) if network is Network.ETHEREUM else None
            )

        return await self.database.write(system_scope_of(viewer.client, viewer.user_id), work)

    async def link_by_wallet(self, viewer: Viewer, slug: str, network: Network, signature: str) -> UUID:
        """Links the viewer to the participant with the wallet by which what `start` gave was signed, which is then used
        up, and the wallet proven; returns the participant's ID. Raises InvalidInput, NotFound, ChallengeInvalid,
        NobodyHasWallet, AlreadyLinked.
        """
        scope = system_scope_of(viewer.client, viewer.user_id)

        async def read(tx: Tx) -> tuple[UUID, Challenge]:
            tenant_id = await tx.fetch_one(LinkSql.open_tenant, slug)
            if tenant_id is None:
                raise NotFound(Tenant)
            found = await tx.fetch_one(
                LinkSql.link_challenge, viewer.user_id, tenant_id, True, network, self.clock.now()
            )
            if found is None:
                raise ChallengeInvalid
            return tenant_id, found

        tenant_id, asked = await self.database.read(scope, read)
        if not is_signed(asked.message, signature, network, asked.address):
            raise InvalidInput("signature", "This is no signature of the message by the private key of the wallet.")

        async def work(tx: Tx) -> UUID:
            now, row = self.clock.now(), (viewer.user_id, tenant_id, True, network)
            if await tx.fetch_one(LinkSql.use_link_challenge, *row, asked.message, now) is None:
                raise ChallengeInvalid
            owners = await tx.fetch(LinkSql.lock_owners, tenant_id, True, network, asked.address)
            if not owners or (len(owners) > 1 and not owners[0].is_proven):
                raise NobodyHasWallet
            owner = owners[0]
            if owner.is_linked or await tx.fetch_one(LinkSql.is_participant, tenant_id, True, viewer.user_id):
                raise AlreadyLinked
            if not owner.is_proven:
                await tx.execute(ProofSql.set_verified, owner.participant_id, network, now)
            await tx.execute(LinkSql.set_user, owner.participant_id, viewer.user_id)
            return owner.participant_id

        return await self.database.write(scope, work)

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
            await tx.execute(LinkSql.unlink, participant_id)

        await self.database.write(system_scope(tenancy), work)

    async def unlink_self(self, viewer: Viewer, participant_id: UUID) -> None:
        """Unlinks the viewer from a participant, whatever the subscription of its tenant is. Raises NotFound."""

        async def work(tx: Tx) -> None:
            if await tx.fetch_one(LinkSql.lock_own, participant_id, viewer.user_id) is None:
                raise NotFound(Participant)
            await tx.execute(LinkSql.unlink, participant_id)

        await self.database.write(system_scope_of(viewer.client, viewer.user_id), work)

    async def remove_expired(self) -> str:
        """Removes messages and tokens that have expired."""

        async def work(tx: Tx) -> None:
            now = self.clock.now()
            await tx.execute(LinkSql.remove_link_challenges, now)
            await tx.execute(LinkSql.remove_links, now)

        await self.database.write(SYSTEM, work)
        return "done"

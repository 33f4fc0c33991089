"""Members of tenants: invited, changed, and gone."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from app.domains.accounts.model import Viewer
from app.domains.accounts.rules.identity import email as email_of
from app.domains.accounts.services.auth_log import system_scope as system_scope_of
from app.domains.accounts.services.mail_queue import MailQueue
from app.domains.accounts.services.sessions import end_of
from app.domains.tenancy.tenants.model.members import (
    INVITATION_TTL,
    MAX_INVITATIONS,
    AlreadyMember,
    InvitationInvalid,
    InvitationLimitReached,
    LastOwner,
    Membership,
)
from app.domains.tenancy.tenants.model.tenants import MemberRole, SubscriptionStatus, Tenancy, TenantNotActive
from app.domains.tenancy.tenants.rules import invitation_mail
from app.domains.tenancy.tenants.services.access import Access, keyed_request, member_of, system_scope
from app.domains.tenancy.tenants.statements import MemberSql, TenantSql
from app.kit.clock import Clock
from app.kit.crypto.tokens import digest, new_token
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import Forbidden, NotFound, ResultDeleted
from app.kit.events import EventLog
from app.kit.idempotency import Made, check_key, once

KEPT: Final = timedelta(days=30)
"""How long an invitation is kept after it has expired."""


@dataclass(frozen=True)
class Members:
    """The members of all tenants. A transaction locks the tenant first: of two owners who leave at once, one stays."""

    database: Database
    clock: Clock
    events: EventLog
    access: Access
    mail_queue: MailQueue

    async def invite(self, tenancy: Tenancy, email: str, role: MemberRole, idempotency_key: str) -> UUID:
        """Sends an invitation by mail, in place of an earlier one to the address; returns its ID. Only owners invite
        owners. Raises InvalidInput, NotFound, Forbidden, TenantNotActive, InvitationLimitReached, IdempotencyKeyReused,
        ResultDeleted.
        """

        by = member_of(tenancy)

        async def invite(tx: Tx) -> Made:
            to, now, token = email_of(email), self.clock.now(), new_token()
            await tx.fetch(TenantSql.lock_tenant, tenancy.tenant_id)
            await self._check(tx, tenancy, role)
            [waiting] = await tx.fetch(MemberSql.count_invitations, tenancy.tenant_id, to, now)
            if waiting >= MAX_INVITATIONS:
                raise InvitationLimitReached
            [id] = await tx.fetch(
                MemberSql.put_invitation,
                tenancy.tenant_id,
                to,
                role,
                digest(token),
                by,
                now,
                now + INVITATION_TTL,
            )
            await self.mail_queue.send(tx, invitation_mail(to, tenancy.slug, role, token, INVITATION_TTL.days))
            return Made(id)

        check_key(idempotency_key, lambda: email_of(email))
        keyed = keyed_request(tenancy, idempotency_key, "inviteMember", [email, role])

        async def write(tx: Tx) -> UUID:
            made = (await once(tx, keyed, lambda: invite(tx), Made)).result
            if not await tx.fetch(MemberSql.invitations_by_ids, [made.id]):
                raise ResultDeleted
            return made.id

        return await self.database.write(system_scope(tenancy), write)

    async def accept(self, viewer: Viewer, token: str) -> UUID:
        """Makes the viewer a member by the token of an invitation, which is then used up; returns the membership's ID.
        Raises InvitationInvalid, TenantNotActive, AlreadyMember.
        """

        async def work(tx: Tx) -> UUID:
            now = self.clock.now()
            invitation = await tx.fetch_one(MemberSql.lock_invitation, digest(token), now)
            if invitation is None or invitation.is_deleted:
                raise InvitationInvalid
            if (status := SubscriptionStatus(invitation.status)) is not SubscriptionStatus.ACTIVE:
                raise TenantNotActive(status)
            id = await tx.fetch_one(MemberSql.insert_member, invitation.tenant_id, viewer.user_id, invitation.role, now)
            if id is None:
                raise AlreadyMember
            await tx.execute(MemberSql.accept_invitation, invitation.id, viewer.user_id, now)
            return id

        return await self.database.write(system_scope_of(viewer.client, viewer.user_id), work)

    async def update(self, tenancy: Tenancy, id: UUID, role: MemberRole) -> None:
        """Changes the role of a member. Only owners make owners, and change what owners are. Raises NotFound,
        Forbidden, TenantNotActive, LastOwner.
        """

        async def work(tx: Tx) -> None:
            await tx.fetch(TenantSql.lock_tenant, tenancy.tenant_id)
            member = await self._member(tx, tenancy, id)
            await self._check(tx, tenancy, role, member.role)
            if role is not MemberRole.OWNER:
                await self._keep_an_owner(tx, member)
            await tx.execute(MemberSql.set_role, id, role)

        await self.database.write(system_scope(tenancy), work)

    async def remove(self, tenancy: Tenancy, id: UUID) -> None:
        """Ends a membership: anybody's own, or that of another. Whatever is open under it closes. Raises NotFound,
        Forbidden, LastOwner.
        """

        async def work(tx: Tx) -> None:
            await tx.fetch(TenantSql.lock_tenant, tenancy.tenant_id)
            member = await self._member(tx, tenancy, id)
            if member.id == tenancy.membership_id:
                await self.access.check(tx, tenancy, MemberRole.VIEWER, changes=False)
            else:
                await self._check(tx, tenancy, member.role, changes=False)
            await self._keep_an_owner(tx, member)
            await tx.execute(MemberSql.delete_member, id)
            await self.events.append(tx, [end_of(id)])

        await self.database.write(system_scope(tenancy), work)

    async def transfer(self, tenancy: Tenancy, id: UUID) -> None:
        """Makes another member an owner, and the one who acts an admin, whatever the subscription: so that an owner can
        leave. Raises NotFound, Forbidden.
        """
        member_of(tenancy)

        async def work(tx: Tx) -> None:
            await tx.fetch(TenantSql.lock_tenant, tenancy.tenant_id)
            await self.access.check(tx, tenancy, MemberRole.OWNER, changes=False)
            member = await self._member(tx, tenancy, id)
            if member.id == tenancy.membership_id:
                raise Forbidden("You are an owner already.")
            await tx.execute(MemberSql.set_role, id, MemberRole.OWNER)
            await tx.execute(MemberSql.set_role, tenancy.membership_id, MemberRole.ADMIN)

        await self.database.write(system_scope(tenancy), work)

    async def living(self, ids: list[UUID]) -> set[UUID]:
        """Those of these memberships that have not ended."""
        return set(await self.database.read(SYSTEM, lambda tx: tx.fetch(MemberSql.living_memberships, ids)))

    async def remove_invitations(self) -> str:
        """Removes invitations that expired long ago."""
        before = self.clock.now() - KEPT
        await self.database.write(SYSTEM, lambda tx: tx.execute(MemberSql.remove_invitations, before))
        return "done"

    async def _check(self, tx: Tx, tenancy: Tenancy, *roles: str, changes: bool = True) -> None:
        """Whether the one who acts may change who has these roles. Raises NotFound, Forbidden, TenantNotActive."""
        least = MemberRole.OWNER if MemberRole.OWNER in roles else MemberRole.ADMIN
        await self.access.check(tx, tenancy, least, changes=changes)

    async def _member(self, tx: Tx, tenancy: Tenancy, id: UUID) -> Membership:
        found = await tx.fetch_one(MemberSql.member_of_tenant, id, tenancy.tenant_id)
        if found is None:
            raise NotFound(Membership)
        return found

    async def _keep_an_owner(self, tx: Tx, member: Membership) -> None:
        if member.role == MemberRole.OWNER:
            [owners] = await tx.fetch(MemberSql.count_owners, member.tenant_id)
            if owners == 1:
                raise LastOwner

"""Creating, changing and archiving projects."""

import hmac
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec

from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.projects.model import (
    KEY_CHARS,
    KEY_PREFIX,
    NewProject,
    NewWallet,
    Project,
    ProjectArchived,
    ProjectChange,
    ProjectChanges,
    ProjectFact,
    ProjectLimitReached,
    Terms,
    stored_distribution,
)
from app.domains.campaigns.projects.rules import changed_terms, claim_amount, new_terms, terms_of
from app.domains.campaigns.projects.services.wallets import ProjectWallets, checked_wallet
from app.domains.campaigns.projects.statements import ProjectSql
from app.domains.tenancy.tenants.model.tenants import MemberRole, Tenancy
from app.domains.tenancy.tenants.services.access import Access, keyed_request, system_scope
from app.domains.tenancy.tenants.statements import TenantSql
from app.kit.clock import Clock
from app.kit.db import Database, Tx
from app.kit.errors import Faults, NotFound, ResultDeleted, Unavailable
from app.kit.events import EventLog
from app.kit.idempotency import Made, check_key, once

_ALPHABET: Final = string.ascii_lowercase + string.digits
_ATTEMPTS: Final = 5
"""How often a key is drawn: of 36^12, one is hardly ever taken."""


def new_key() -> str:
    """A random key of a project."""
    return KEY_PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(KEY_CHARS))


@dataclass(frozen=True)
class Projects:
    """The projects of all tenants. Only Moneta writes them. A transaction locks the tenant before its projects."""

    database: Database
    clock: Clock
    access: Access
    events: EventLog
    wallets: ProjectWallets
    secret: bytes = field(repr=False)
    """What digests of private keys are made with: the same request is known again by one."""
    new_key: Callable[[], str] = new_key

    async def create(self, tenancy: Tenancy, new: NewProject, idempotency_key: str) -> UUID:
        """Creates a project, or a clone of another, without its wallet and its times; returns its ID.

        Raises InvalidInput, NotFound, Forbidden, TenantNotActive, ProjectLimitReached, WalletInUse,
        IdempotencyKeyReused, ResultDeleted.
        """

        async def create(tx: Tx) -> Made:
            # Of two at once, the second counts the project of the first.
            await tx.fetch(TenantSql.lock_tenant, tenancy.tenant_id)
            await self.access.check(tx, tenancy, MemberRole.ADMIN)
            original = None if new.clone_of is None else await self._locked(tx, tenancy, new.clone_of)
            terms = self._terms(new, None if original is None else terms_of(original))
            [quota] = await tx.fetch(ProjectSql.quota_of_tenant, tenancy.tenant_id, tenancy.livemode)
            if quota.used >= quota.limit:
                raise ProjectLimitReached(quota.limit)
            id = await self._insert(tx, tenancy, terms)
            if original is not None:
                await tx.execute(ProjectSql.copy_levels, id, original.id)
            if new.wallet is not None:
                await self.wallets.put(tx, tenancy, id, terms.network, new.wallet)
            return Made(id)

        # What a clone is, its original decides as well.
        check_key(idempotency_key, lambda: None if new.clone_of else self._terms(new, None))
        request = msgspec.structs.asdict(msgspec.structs.replace(new, wallet=None))
        digested = msgspec.to_builtins([request, new.wallet and self._digest(new.wallet)])
        keyed = keyed_request(tenancy, idempotency_key, "createProject", digested)

        async def write(tx: Tx) -> UUID:
            made = (await once(tx, keyed, lambda: create(tx), Made)).result
            if not await tx.fetch(ProjectSql.projects_by_ids, [made.id]):
                raise ResultDeleted
            return made.id

        return await self.database.write(system_scope(tenancy), write)

    async def update(self, tenancy: Tenancy, id: UUID, changes: ProjectChanges) -> None:
        """Changes a project. Raises InvalidInput, NotFound, Forbidden, TenantNotActive, ProjectArchived."""

        async def work(tx: Tx) -> None:
            await self.access.check(tx, tenancy, MemberRole.ADMIN)
            project = await self._current(tx, tenancy, id)
            terms = changed_terms(project, changes)
            if changes.is_empty:
                return
            await tx.execute(ProjectSql.update_project, id, *_columns(terms, "network"))
            await self.events.append(tx, [ProjectFact(change=ProjectChange.CHANGED, project_id=id).fact])

        await self.database.write(system_scope(tenancy), work)

    async def archive(self, tenancy: Tenancy, id: UUID) -> None:
        """Archives a project, for good: it counts against no limit any more. It keeps its wallet. Raises NotFound,
        Forbidden, TenantNotActive, ProjectArchived.
        """

        async def work(tx: Tx) -> None:
            await tx.fetch(TenantSql.lock_tenant, tenancy.tenant_id)
            await self.access.check(tx, tenancy, MemberRole.ADMIN)
            await self._current(tx, tenancy, id)
            await tx.execute(ProjectSql.archive_project, id, self.clock.now())
            await self.events.append(tx, [ProjectFact(change=ProjectChange.ARCHIVED, project_id=id).fact])

        await self.database.write(system_scope(tenancy), work)

    async def set_wallet(self, tenancy: Tenancy, id: UUID, wallet: NewWallet | None) -> None:
        """Where a project pays from, in place of what was set before, its key included; None: nowhere. Raises
        InvalidInput, NotFound, Forbidden, TenantNotActive, ProjectArchived, WalletInUse.
        """

        async def work(tx: Tx) -> None:
            await self.access.check(tx, tenancy, MemberRole.ADMIN)
            project = await self._current(tx, tenancy, id)
            await self.wallets.put(tx, tenancy, id, Network(project.network), wallet)

        await self.database.write(system_scope(tenancy), work)

    def _terms(self, new: NewProject, original: Terms | None) -> Terms:
        with Faults() as faults:
            network = new.network or (Network.INTERNAL if original is None else original.network)
            if new.wallet is not None:
                with faults.at():
                    checked_wallet(new.wallet, network)
            with faults.at():
                terms = new_terms(new, original, self.clock.now())
        return terms

    def _digest(self, wallet: NewWallet) -> str:
        """Of what is secret only a digest is kept, which nobody can make without Moneta's own secret."""
        return hmac.new(self.secret, msgspec.json.encode([wallet.address, wallet.private_key]), sha256).hexdigest()

    async def _insert(self, tx: Tx, tenancy: Tenancy, terms: Terms) -> UUID:
        row = tenancy.tenant_id, tenancy.livemode
        for _ in range(_ATTEMPTS):
            key, now = self.new_key(), self.clock.now()
            id = await tx.fetch_one(ProjectSql.insert_project, uuid4(), *row, key, now, *_columns(terms))
            if id is not None:
                return id
        raise Unavailable

    async def _locked(self, tx: Tx, tenancy: Tenancy, id: UUID) -> Project:
        found = await tx.fetch_one(ProjectSql.lock_project, id, tenancy.tenant_id, tenancy.livemode)
        if found is None:
            raise NotFound(Project)
        return found

    async def _current(self, tx: Tx, tenancy: Tenancy, id: UUID) -> Project:
        found = await self._locked(tx, tenancy, id)
        if found.archived_at is not None:
            raise ProjectArchived
        return found


def _columns(terms: Terms, *without: str) -> list[Any]:
    """What is stored of terms, in the order of the statements."""
    named = msgspec.structs.asdict(terms) | {
        "requirements": msgspec.to_builtins(terms.requirements),
        "distribution": stored_distribution(terms.distribution),
    }
    columns: list[Any] = []
    for name, value in named.items():
        if name not in without:
            columns.append(value)
        if name == "distribution":
            columns.append(claim_amount(terms.distribution))
    return columns

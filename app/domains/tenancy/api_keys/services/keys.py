"""Creating, rotating, revoking and recognising API keys."""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
import structlog

from app.domains.accounts.model import Client
from app.domains.accounts.services.auth_log import origin_of
from app.domains.accounts.services.sessions import end_of
from app.domains.tenancy.api_keys.model import (
    KEPT,
    MAX_KEYS,
    PREFIX,
    ApiKey,
    ApiKeyLimitReached,
    IssuedKey,
    KeyRefused,
    LockedKey,
    NewApiKey,
)
from app.domains.tenancy.api_keys.rules import (
    KeyText,
    check_overlap,
    checked,
    is_allowed_from,
    key_hash,
    key_text,
    matches,
)
from app.domains.tenancy.api_keys.services.calls import Calls
from app.domains.tenancy.api_keys.services.known_keys import KnownKey, KnownKeys
from app.domains.tenancy.api_keys.statements import ApiKeySql
from app.domains.tenancy.tenants.model.tenants import MemberRole, SubscriptionStatus, Tenancy
from app.domains.tenancy.tenants.services.access import Access, keyed_request, member_of, system_scope
from app.domains.tenancy.tenants.statements import TenantSql
from app.kit.clock import NEVER, Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import NotFound, ResultDeleted
from app.kit.events import EventLog
from app.kit.idempotency import Made, check_key, once

log = structlog.get_logger(__name__)

_MESSAGES: Final = {
    "wrong_address": "This key cannot be used from this address.",
    "suspended": "The subscription of this tenant is suspended: its keys cannot be used.",
}
"""What the bearer of a right secret reads, by what is wrong."""


@dataclass(frozen=True)
class ApiKeys:
    """The keys of all tenants. `pepper` keys the hashes of their secrets. A transaction locks the tenant first."""

    database: Database
    clock: Clock
    events: EventLog
    access: Access
    calls: Calls
    known: KnownKeys
    pepper: bytes

    async def create(self, tenancy: Tenancy, new: NewApiKey, idempotency_key: str) -> IssuedKey:
        """Creates a key for the mode in which the request acts. A replay reveals no secret. Raises InvalidInput,
        NotFound, Forbidden, TenantNotActive, ApiKeyLimitReached, IdempotencyKeyReused, ResultDeleted.
        """
        user_id, text = member_of(tenancy), self._new_text(tenancy.livemode)

        async def create(tx: Tx) -> Made:
            now = self.clock.now()
            made = checked(new, now)
            await tx.fetch(TenantSql.lock_tenant, tenancy.tenant_id)
            await self.access.check(tx, tenancy, MemberRole.ADMIN)
            [living] = await tx.fetch(ApiKeySql.count_keys, tenancy.tenant_id, now)
            if living >= MAX_KEYS:
                raise ApiKeyLimitReached
            ip, _ = origin_of(tenancy.client)
            row = (tenancy.tenant_id, text.key_id, key_hash(text, self.pepper), tenancy.livemode, made.name)
            limits = (made.scopes, made.allowed_cidrs, user_id, ip, now, made.expires_at)
            [id] = await tx.fetch(ApiKeySql.insert_key, *row, *limits)
            return Made(id)

        check_key(idempotency_key, lambda: checked(new, self.clock.now()))
        keyed = keyed_request(tenancy, idempotency_key, "createApiKey", msgspec.structs.asdict(new))

        async def write(tx: Tx) -> IssuedKey:
            outcome = await once(tx, keyed, lambda: create(tx), Made)
            if not await tx.fetch(ApiKeySql.api_keys_by_ids, [outcome.result.id]):
                raise ResultDeleted
            return IssuedKey(outcome.result.id, None if outcome.replayed else "_".join(text))

        return await self.database.write(system_scope(tenancy), write)

    async def rotate(self, tenancy: Tenancy, id: UUID, overlap: timedelta, idempotency_key: str) -> IssuedKey:
        """Gives a key a new secret. The one before is good during the overlap; what was opened with it ends now, and
        may be opened again. Raises as `create` does.
        """
        member_of(tenancy)
        secret = secrets.token_hex(32)

        async def rotate(tx: Tx) -> Made:
            check_overlap(overlap)
            locked = await self._locked(tx, tenancy, id)
            hashed = key_hash(KeyText(locked.key_id, secret), self.pepper)
            await tx.execute(ApiKeySql.rotate_key, id, hashed, self.clock.now() + overlap if overlap else None)
            await self._end(tx, locked)
            return Made(id)

        check_key(idempotency_key, lambda: check_overlap(overlap))
        keyed = keyed_request(tenancy, idempotency_key, "rotateApiKey", [id, overlap.total_seconds()])

        async def write(tx: Tx) -> IssuedKey:
            outcome = await once(tx, keyed, lambda: rotate(tx), Made)
            found = await tx.fetch_one(ApiKeySql.api_keys_by_ids, [id])
            if found is None:
                raise ResultDeleted
            return IssuedKey(id, None if outcome.replayed else f"{found.key_id}_{secret}")

        rotated = await self.database.write(system_scope(tenancy), write)
        self.known.forget_tenant(tenancy.tenant_id)
        return rotated

    async def revoke(self, tenancy: Tenancy, id: UUID) -> None:
        """Ends a key for ever, whatever the subscription, and closes what is open with it. Raises NotFound,
        Forbidden.
        """
        member_of(tenancy)

        async def work(tx: Tx) -> None:
            locked = await self._locked(tx, tenancy, id, changes=False)
            await tx.execute(ApiKeySql.revoke_key, id, self.clock.now())
            await self._end(tx, locked)

        await self.database.write(system_scope(tenancy), work)
        self.known.forget_tenant(tenancy.tenant_id)

    async def authenticate(self, token: str, client: Client) -> Tenancy | None:
        """On whose behalf the bearer of a key acts. None: it is no key, or none that is good. Raises KeyRefused for one
        that is good, and cannot be used from here or now.
        """
        if (text := key_text(token)) is None:
            return None
        hashed, now = key_hash(text, self.pepper), self.clock.now()
        known = self.known.get(text.key_id)
        is_proven = known is not None and self._fault(known, hashed, client, now) is None
        if known is not None and is_proven and self.known.is_fresh(known):
            return _acting(known, hashed, client)
        changes = self.known.changes
        # What nobody has proven to have is looked up by itself: it queues for the database with its own address.
        found = await (self.known.read_together(text.key_id) if is_proven else self.known.read(text.key_id))
        if found is None:
            return None
        if (fault := self._fault(found, hashed, client, now)) is not None:
            log.warning(f"api_key.{fault}", key_id=text.key_id, tenant=found.found.slug, ip=client.ip)
            if (message := _MESSAGES.get(fault)) is not None:
                raise KeyRefused(message)
            return None
        self.known.keep(found, changes)
        self.calls.learn(found.found.tenant_id, found.found.calls, found.found.calls_per_month)
        return _acting(found, hashed, client)

    def _fault(self, known: KnownKey, hashed: str, client: Client, now: datetime) -> str | None:
        """Why who presents this secret may not act by a key. Secrets are compared before anything else is said."""
        found = known.found
        if matches(found, hashed, now) is False:
            return "wrong_secret"
        if found.expires_at is not None and found.expires_at <= now:
            return "expired"
        if not is_allowed_from(known.networks, client.ip):
            return "wrong_address"
        return "suspended" if found.status == SubscriptionStatus.SUSPENDED else None

    async def living(self, ids: Sequence[UUID]) -> dict[UUID, datetime]:
        """Until when these secrets are good; what is not is missing."""
        now = self.clock.now()
        rows = await self.database.read(SYSTEM, lambda tx: tx.fetch(ApiKeySql.living_secrets, list(ids), now))
        return {id: expires_at or NEVER for id, expires_at in rows}

    async def remove_old(self) -> str:
        """Removes keys that have been over for long."""
        before = self.clock.now() - KEPT
        await self.database.write(SYSTEM, lambda tx: tx.execute(ApiKeySql.remove_keys, before))
        return "done"

    async def _locked(self, tx: Tx, tenancy: Tenancy, id: UUID, *, changes: bool = True) -> LockedKey:
        """A key that can be used, of who acts and may change it."""
        await tx.fetch(TenantSql.lock_tenant, tenancy.tenant_id)
        await self.access.check(tx, tenancy, MemberRole.ADMIN, changes=changes)
        locked = await tx.fetch_one(ApiKeySql.lock_key, id, tenancy.tenant_id, tenancy.livemode, self.clock.now())
        if locked is None:
            raise NotFound(ApiKey)
        return locked

    async def _end(self, tx: Tx, locked: LockedKey) -> None:
        over = [locked.secret_id, *([] if locked.previous_secret_id is None else [locked.previous_secret_id])]
        await self.events.append(tx, [end_of(each) for each in over])

    def _new_text(self, livemode: bool) -> KeyText:
        return KeyText(f"{PREFIX}{'live' if livemode else 'test'}_{secrets.token_hex(8)}", secrets.token_hex(32))


def _acting(known: KnownKey, hashed: str, client: Client) -> Tenancy:
    """Who acts by a key, with its present secret or the one before."""
    found = known.found
    is_present = hmac.compare_digest(found.key_hash, hashed)
    return Tenancy(
        tenant_id=found.tenant_id,
        slug=found.slug,
        status=SubscriptionStatus(found.status),
        key=known.present if is_present else known.previous,
        livemode=found.livemode,
        client=client,
    )

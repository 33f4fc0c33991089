"""Creating and changing participants."""

import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
from msgspec import UNSET

from app.domains.campaigns.participants.model import (
    CODE_CHARS,
    NamedWallet,
    NewParticipant,
    Participant,
    ParticipantChanges,
    ParticipantExists,
    ReferralRefused,
)
from app.domains.campaigns.participants.rules import CODE_ALPHABET, check_changes, checked, stored_attributes
from app.domains.campaigns.participants.statements import ParticipantSql
from app.domains.tenancy.tenants.model.tenants import MemberRole, Tenancy
from app.domains.tenancy.tenants.services.access import Access, keyed_request, system_scope
from app.kit.clock import Clock
from app.kit.db import Database, Tx
from app.kit.errors import InvalidInput, NotFound, ResultDeleted, Unavailable
from app.kit.idempotency import Made, check_key, once

_ATTEMPTS: Final = 5
_STORED: Final = (
    "telegram_id",
    "discord_id",
    "username",
    "first_name",
    "last_name",
    "email",
    "locale",
    "time_zone",
    "has_notifications",
    "attributes",
    "is_active",
    "is_verified",
)
"""The columns of what is set, in the order of the statements."""


def new_code() -> str:
    """A random referral code."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_CHARS))


@dataclass(frozen=True)
class Participants:
    """The participants of all tenants. Only Moneta writes them. Two at once with the same ID collide: then the second
    begins again, and finds the first.
    """

    database: Database
    clock: Clock
    access: Access
    new_code: Callable[[], str] = new_code

    async def create(self, tenancy: Tenancy, new: NewParticipant, idempotency_key: str) -> UUID:
        """Creates a participant; returns its ID. Raises InvalidInput, Forbidden, TenantNotActive, ParticipantExists,
        IdempotencyKeyReused, ResultDeleted.
        """

        async def create(tx: Tx) -> Made:
            await self.access.check(tx, tenancy, MemberRole.ADMIN)
            made, id, row = checked(new), uuid4(), (tenancy.tenant_id, tenancy.livemode)
            referral_code = await self._code(tx, tenancy, id, made)
            referrer = None
            if made.referrer_code is not None:
                # Its row is locked until the end: every referral counts once.
                referrer = await tx.fetch_one(ParticipantSql.count_referral, *row, made.referrer_code)
                if referrer is None:
                    raise InvalidInput("referrer_code", "No participant has this code.")
            named = msgspec.structs.asdict(made) | {"attributes": stored_attributes(made.attributes)}
            columns = [named[each] for each in _STORED]
            now = self.clock.now()
            await tx.execute(ParticipantSql.insert_participant, id, *row, now, *columns, referral_code, referrer)
            await self._put_wallets(tx, tenancy, id, made.wallets, now)
            return Made(id)

        check_key(idempotency_key, lambda: checked(new))
        keyed = keyed_request(tenancy, idempotency_key, "createParticipant", msgspec.structs.asdict(new))

        async def write(tx: Tx) -> UUID:
            made = (await once(tx, keyed, lambda: create(tx), Made)).result
            if not await tx.fetch(ParticipantSql.participants_by_ids, [made.id]):
                raise ResultDeleted
            return made.id

        return await self.database.write(system_scope(tenancy), write)

    async def update(self, tenancy: Tenancy, id: UUID, changes: ParticipantChanges) -> None:
        """Changes a participant. Raises InvalidInput, NotFound, Forbidden, TenantNotActive, ParticipantExists,
        ReferralRefused.
        """
        made = check_changes(changes)

        async def work(tx: Tx) -> None:
            await self.access.check(tx, tenancy, MemberRole.ADMIN)
            if made.referrer_code is not UNSET:
                mode = "live" if tenancy.livemode else "test"
                await tx.execute(ParticipantSql.lock_referrals, f"{tenancy.tenant_id}:{mode}")
            before = await tx.fetch_one(ParticipantSql.lock_participant, id, tenancy.tenant_id, tenancy.livemode)
            if before is None:
                raise NotFound(Participant)
            if made.is_empty:
                return
            await self._refuse_taken(tx, tenancy, id, made)
            referrer = await self._referrer(tx, tenancy, before, made)
            wallets = None if made.wallets is UNSET else made.wallets
            columns = [_value(before, made, each) for each in _STORED]
            await tx.execute(
                ParticipantSql.update_participant,
                id,
                *columns,
                _value(before, made, "referral_code"),
                referrer,
                None if made.last_active_at is UNSET else made.last_active_at,
            )
            if wallets is not None:
                await self._put_wallets(tx, tenancy, id, wallets, self.clock.now())

        await self.database.write(system_scope(tenancy), work)

    async def _code(self, tx: Tx, tenancy: Tenancy, id: UUID, new: NewParticipant) -> str:
        """The code that a new participant gets: a drawn one is drawn again while it is taken."""
        for _ in range(_ATTEMPTS):
            code = new.referral_code or self.new_code()
            given = msgspec.structs.replace(new, referral_code=code)
            try:
                await self._refuse_taken(tx, tenancy, id, given)
            except ParticipantExists as problem:
                if new.referral_code is None and problem.path == ("referral_code",):
                    continue
                raise
            return code
        raise Unavailable

    async def _refuse_taken(
        self, tx: Tx, tenancy: Tenancy, id: UUID, given: NewParticipant | ParticipantChanges
    ) -> None:
        fields = ("telegram_id", "discord_id", "referral_code")
        asked = [None if (value := getattr(given, each)) is UNSET else value for each in fields]
        if all(each is None for each in asked):
            return
        [taken] = await tx.fetch(ParticipantSql.taken, tenancy.tenant_id, tenancy.livemode, id, *asked)
        for field in fields:
            if getattr(taken, field):
                raise ParticipantExists(path=(field,))

    async def _referrer(
        self, tx: Tx, tenancy: Tenancy, before: Participant, changes: ParticipantChanges
    ) -> UUID | None:
        """Who has referred a participant after changes, which are counted."""
        if changes.referrer_code is UNSET:
            return before.referred_by
        referrer = None
        if changes.referrer_code is not None:
            row = tenancy.tenant_id, tenancy.livemode
            referrer = await tx.fetch_one(ParticipantSql.referrer_of_code, *row, changes.referrer_code)
            if referrer is None:
                raise InvalidInput("referrer_code", "No participant has this code.")
            if await tx.fetch_one(ParticipantSql.is_referred_by, referrer, before.id):
                raise ReferralRefused
        counts = Counter[UUID]()
        if referrer is not None:
            counts[referrer] += 1
        if before.referred_by is not None:
            counts[before.referred_by] -= 1
        changed = {each: count for each, count in sorted(counts.items()) if count}
        if changed:
            await tx.execute(ParticipantSql.add_referrals, list(changed), list(changed.values()))
        return referrer

    async def _put_wallets(
        self, tx: Tx, tenancy: Tenancy, id: UUID, wallets: tuple[NamedWallet, ...], now: datetime
    ) -> None:
        """The wallets of a participant: one with the same address stays proven."""
        networks, addresses = [str(each.network) for each in wallets], [each.address for each in wallets]
        await tx.execute(ParticipantSql.remove_other_wallets, id, networks, addresses)
        if wallets:
            allows = [each.allows_off_curve for each in wallets]
            row = id, tenancy.tenant_id, tenancy.livemode
            await tx.execute(ParticipantSql.put_wallets, *row, now, networks, addresses, allows)


def _value(before: Participant, changes: ParticipantChanges, field: str) -> Any:
    """A column after changes."""
    if (value := getattr(changes, field)) is UNSET:
        return getattr(before, field)
    return stored_attributes(value) if field == "attributes" else value

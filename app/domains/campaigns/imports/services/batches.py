"""Storing the rows of an import, a batch in one transaction."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from app.domains.campaigns.imports.model import (
    MAX_REFUSALS,
    GivenRow,
    ImportStatus,
    LockedImport,
    OnDuplicate,
    ParticipantImport,
)
from app.domains.campaigns.imports.rules.settlement import KEYS, SET, Settled, Settlement
from app.domains.campaigns.imports.services.digests import digests_of_row
from app.domains.campaigns.imports.services.imports import progress_of
from app.domains.campaigns.imports.statements import BatchSql, ImportSql
from app.domains.campaigns.participants.services.participants import new_codes
from app.domains.campaigns.participants.statements import ParticipantSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.events import EventLog
from app.kit.postgres import Collision
from app.kit.scope import Scope
from app.kit.sql import columns_of

COLLISIONS: Final = 10
"""How often a batch is begun anew because somebody has created one of its participants meanwhile."""
STEPS: Final = 20
"""How often progress is reported, at most, beside beginning and end."""


class Ended(Exception):
    """It was cancelled or deleted meanwhile, or another worker has gone on with it."""


class Closed(Exception):
    """The tenant cannot be changed any more. Says why."""


@dataclass(frozen=True)
class Batches:
    """Stores batches: their participants, what was refused, and how far the import is, or nothing."""

    database: Database
    clock: Clock
    events: EventLog
    secret: bytes = field(repr=False)
    new_codes: Callable[[int], list[str]] = new_codes

    async def note_total(self, id: UUID, total: int) -> None:
        """Notes how many rows an import has. Raises Ended."""

        async def work(tx: Tx) -> None:
            done = await tx.fetch_one(ImportSql.note_total, id, total)
            if done is None:
                raise Ended
            await self.events.append(tx, [progress_of(id, ImportStatus.RUNNING, done, total, 0)])

        await self.database.write(SYSTEM, work)

    async def write(self, asked: ParticipantImport, rows: Sequence[GivenRow], done: int) -> None:
        """Stores the rows behind the first `done`. Raises Ended, Closed."""
        # The audit log names who has asked for it.
        scope = Scope(user_id=asked.created_by, system=True)

        async def work(tx: Tx) -> None:
            locked = await tx.fetch_one(ImportSql.lock_import, asked.id, done)
            if locked is None:
                raise Ended
            if not locked.is_open:
                raise Closed("The tenant can be read, and not changed, since the import was begun.")
            settled = await self._settle(tx, asked.id, locked, rows)
            # In the order of the file, whatever the clock says: who refers others is there before them.
            begins_at = locked.started_at + timedelta(microseconds=done)
            await self._store(tx, asked.id, locked, settled, begins_at)
            await self._refuse(tx, asked.id, locked, settled)
            counts = settled.counts
            sums = counts.imported, counts.updated, counts.skipped, counts.refused
            await tx.execute(ImportSql.note_batch, asked.id, *sums)
            if settled.created or settled.updated:
                await tx.execute(BatchSql.audit_import, asked.id, list(settled.created), list(settled.updated))
            if self._is_step(done, len(rows), locked.total_rows):
                refused = locked.refused_count + counts.refused
                fact = progress_of(asked.id, ImportStatus.RUNNING, done + len(rows), locked.total_rows, refused)
                await self.events.append(tx, [fact])

        for _ in range(COLLISIONS):
            with contextlib.suppress(Collision):
                return await self.database.write(scope, work)
        return await self.database.write(scope, work)

    def _is_step(self, done: int, more: int, total: int | None) -> bool:
        every = max(1, (total or 0) // STEPS)
        return done // every != (done + more) // every

    async def _settle(self, tx: Tx, id: UUID, locked: LockedImport, rows: Sequence[GivenRow]) -> Settled:
        excluded = {*await tx.fetch(ImportSql.exclusions_of, id)}
        tenant = locked.tenant_id, locked.livemode
        keys = [list({each.values[key] for each in rows if key in each.values}) for key in KEYS]
        known = await tx.fetch(BatchSql.known, *tenant, *keys)
        codes = list({each.values["referrer_code"] for each in rows if "referrer_code" in each.values})
        referrers = dict(await tx.fetch(BatchSql.referrers, *tenant, codes)) if codes else {}
        drawn = [(uuid4(), code) for code in self.new_codes(len(rows))]
        settlement = Settlement(id, OnDuplicate(locked.on_duplicate), known, referrers, drawn)
        for row in rows:
            is_erased = bool(excluded) and not excluded.isdisjoint(digests_of_row(self.secret, row))
            settlement.take(row, is_erased=is_erased)
        return settlement.settled

    async def _store(self, tx: Tx, id: UUID, locked: LockedImport, settled: Settled, begins_at: datetime) -> None:
        tenant = locked.tenant_id, locked.livemode
        if settled.referrals:
            counts = sorted(settled.referrals.items())
            await tx.execute(ParticipantSql.add_referrals, *columns_of(counts))
        if settled.created:
            columns = columns_of([_created(*each, place) for place, each in enumerate(settled.created.items())])
            await tx.execute(BatchSql.insert_participants, *tenant, id, begins_at, *columns)
        if settled.updated:
            changed = sorted(settled.updated.items())
            await tx.execute(BatchSql.update_participants, id, *columns_of([_updated(*each) for each in changed]))
            replacing = [each for each in settled.wallets if each.participant_id in settled.updated]
            if replacing:
                ids = [each.participant_id for each in replacing]
                networks, addresses = [each.network for each in replacing], [each.address for each in replacing]
                await tx.execute(BatchSql.remove_wallets, ids, networks, addresses)
        if settled.wallets:
            rows = [
                (each.participant_id, each.network, each.address, each.allows_off_curve) for each in settled.wallets
            ]
            await tx.execute(BatchSql.put_wallets, *tenant, id, begins_at, *columns_of(rows))

    async def _refuse(self, tx: Tx, id: UUID, locked: LockedImport, settled: Settled) -> None:
        rows = [
            (number, each.field, str(each.reason), each.detail)
            for number, faults in settled.refused.items()
            for each in faults
        ][: max(0, MAX_REFUSALS - locked.refusals)]
        if rows:
            await tx.execute(ImportSql.insert_refusals, id, locked.refusals, *columns_of(rows))


def _created(id: UUID, values: dict[str, Any], later: int) -> tuple[Any, ...]:
    more = values["referred_by"], values["total_referrals"], values.get("last_active_at")
    return (id, later, *(values.get(each) for each in SET), *more)


def _updated(id: UUID, values: dict[str, Any]) -> tuple[Any, ...]:
    return (id, *(values[each] for each in SET), values["last_active_at"])

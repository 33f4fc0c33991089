"""What this process knows of the keys that it has accepted of late, so that not every call asks Postgres."""

import ipaddress
import time
from collections.abc import Callable
from functools import partial
from typing import Final
from uuid import UUID

import msgspec

from app.domains.tenancy.api_keys.model import PresentedKey
from app.domains.tenancy.api_keys.rules import Network
from app.domains.tenancy.api_keys.statements import ApiKeySql
from app.domains.tenancy.tenants.model.tenants import ActingKey, Plan
from app.kit.clock import NEVER, Clock
from app.kit.db import Database
from app.kit.single_flight import SingleFlight

KEPT_S: Final = 0.75
"""So that whatever happens to a key or its tenant holds everywhere within a second, whether it is heard of or not."""
MOST: Final = 4096


class KnownKey(msgspec.Struct, frozen=True):
    """A key as Postgres had it, and who acts by each of its secrets."""

    found: PresentedKey
    networks: tuple[Network, ...]
    present: ActingKey
    previous: ActingKey | None
    asked_at: float
    """When Postgres was asked, by the clock of `KnownKeys`: before it answered, so that nothing older was read."""


class KnownKeys:
    """The last MOST keys whose secrets were right. What is known of one says only yes, and for KEPT_S: who would be
    refused by it is looked up anew.
    """

    def __init__(self, database: Database, clock: Clock, timer: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._timer = timer
        self._known: dict[str, KnownKey] = {}
        """The one that was used last at the end."""
        self._ids: dict[UUID, str] = {}
        """The IDs of the keys, by those of their secrets."""
        self._changes = 0
        self._reading = SingleFlight[tuple[float, KnownKey | None]]()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key_id: str) -> KnownKey | None:
        """A key as it was accepted last."""
        known = self._known.pop(key_id, None)
        if known is not None:
            self._known[key_id] = known
        return known

    def is_fresh(self, known: KnownKey) -> bool:
        """Whether it may still say yes."""
        return self._timer() - known.asked_at < KEPT_S

    async def read(self, key_id: str) -> KnownKey | None:
        """A key as Postgres has it; None where there is none, or none that is good. Raises Unavailable."""
        _, found = await self._read(key_id)
        return found

    async def read_together(self, key_id: str) -> KnownKey | None:
        """The same for many at once: by a statement that began after all of them asked."""
        began = self._timer()
        while True:
            asked_at, found = await self._reading.join(key_id, partial(self._read, key_id))
            if asked_at >= began:
                return found

    def keep(self, known: KnownKey, changes: int) -> None:
        """Keeps a key whose secret was right; unless something was heard since `changes`, which it may not show."""
        if changes != self._changes:
            return
        self._drop(known.found.key_id)
        self._known[known.found.key_id] = known
        for secret_id in (known.found.secret_id, known.found.previous_secret_id):
            if secret_id is not None:
                self._ids[secret_id] = known.found.key_id
        while len(self._known) > MOST:
            self._drop(next(iter(self._known)))

    @property
    def changes(self) -> int:
        """How much was heard until now."""
        return self._changes

    def forget(self, secret_id: UUID) -> None:
        """A secret is over."""
        self._changes += 1
        if (key_id := self._ids.get(secret_id)) is not None:
            self._drop(key_id)

    def forget_tenant(self, tenant_id: UUID) -> None:
        """Something has changed for the keys of a tenant."""
        self._changes += 1
        for key_id in [id for id, each in self._known.items() if each.found.tenant_id == tenant_id]:
            self._drop(key_id)

    async def _read(self, key_id: str) -> tuple[float, KnownKey | None]:
        asked_at = self._timer()
        found = await self._database.fetch_one(ApiKeySql.key_of_id, key_id, self._clock.now())
        return asked_at, None if found is None else _known(found, asked_at)

    def _drop(self, key_id: str) -> None:
        if (known := self._known.pop(key_id, None)) is not None:
            for secret_id in (known.found.secret_id, known.found.previous_secret_id):
                if secret_id is not None:
                    self._ids.pop(secret_id, None)


def _known(found: PresentedKey, asked_at: float) -> KnownKey:
    present = ActingKey(
        id=found.id,
        secret_id=found.secret_id,
        scopes=frozenset(found.scopes),
        expires_at=found.expires_at,
        plan=Plan(found.plan),
        per_minute=found.per_minute,
        per_hour=found.per_hour,
        per_day=found.per_day,
        per_month=found.calls_per_month,
    )
    previous = None
    if found.previous_secret_id is not None and found.previous_until is not None:
        until = min(found.previous_until, found.expires_at or NEVER)
        previous = msgspec.structs.replace(present, secret_id=found.previous_secret_id, expires_at=until)
    networks = tuple(ipaddress.ip_network(each) for each in found.allowed_cidrs)
    return KnownKey(found, networks, present, previous, asked_at)

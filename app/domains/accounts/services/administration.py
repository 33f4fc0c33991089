"""What admins do: access codes, roles, scheduled jobs; and what the command line does on their behalf."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.domains.accounts.model import AuthEvent, Client, NewUser, OwnRole, PublicUser, Role, Viewer
from app.domains.accounts.rules import identity
from app.domains.accounts.services.auth_log import AuthLog, system_scope
from app.domains.accounts.services.registration import Registration, national_id_aad
from app.domains.accounts.services.sessions import Sessions
from app.domains.accounts.statements import AccessCodeSql, SealedNationalId, UserSql
from app.kit import jobs
from app.kit.clock import Clock
from app.kit.crypto.envelope import Keyring, Sealed
from app.kit.db import SYSTEM, Database, Executor, Tx
from app.kit.errors import Faults, Forbidden, InvalidInput, NotFound
from app.kit.idempotency import KeyedRequest, check_key, once
from app.kit.jobs import ScheduledJob
from app.kit.rewrapping import Stored, rewrap_all

MAX_CODES: Final = 100
# No 0 O 1 I L: codes are read aloud and copied from paper. One of 31 ** 12 codes cannot be guessed.
CODE_ALPHABET: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
CODE_GROUPS: Final = 3
CODE_GROUP_CHARS: Final = 4


@dataclass(frozen=True)
class Administration:
    """Operations for admins and for the command line."""

    database: Database
    clock: Clock
    keyring: Keyring
    auth_log: AuthLog
    registration: Registration
    sessions: Sessions

    async def create_access_codes(
        self, viewer: Viewer, *, count: int | None, codes: Sequence[str] | None, idempotency_key: str
    ) -> list[UUID]:
        """Creates `count` random codes or exactly these `codes`, all or none. Returns their ids.

        Raises Forbidden, InvalidInput, IdempotencyKeyReused.
        """
        _require_admin(viewer)

        check_key(idempotency_key, lambda: _wanted(count, codes))
        request = [count, None if codes is None else [code.strip().upper() for code in codes]]
        keyed = KeyedRequest.of(viewer.user_id, idempotency_key, "createAccessCodes", request)

        async def work(tx: Tx) -> list[UUID]:
            made = await once(tx, keyed, lambda: self._insert_codes(tx, _wanted(count, codes)), list[UUID])
            return made.result

        return await self.database.write(system_scope(viewer.client, viewer.user_id), work)

    async def update_role(self, viewer: Viewer, user_id: UUID, role: Role) -> None:
        """Changes a user's role and ends their sessions, because open sockets keep the role they were opened with.

        Raises Forbidden, NotFound, OwnRole.
        """
        _require_admin(viewer)
        if user_id == viewer.user_id:
            raise OwnRole

        async def work(tx: Tx) -> None:
            if not await tx.fetch_one(UserSql.user_exists, user_id):
                raise NotFound(PublicUser)
            if await tx.execute(UserSql.set_role, user_id, role):
                await self.auth_log.record(tx, AuthEvent.ROLE_CHANGED, viewer.client, user_id)
                await self.sessions.end_all(tx, user_id)

        await self.database.write(system_scope(viewer.client, viewer.user_id), work)

    async def scheduled_jobs(self, executor: Executor, viewer: Viewer) -> list[ScheduledJob]:
        """Returns every scheduled job and its last run. Raises Forbidden."""
        _require_admin(viewer)
        return await jobs.scheduled_jobs(executor)

    async def create_admin(self, email: str, full_name: str, password: str) -> str:
        """Creates a verified admin, or promotes the user with this address, who keeps their password.

        Returns a message about what was done. For the command line: it checks no permission. Raises InvalidInput.
        """
        address = identity.email(email)
        user = await self.database.read(SYSTEM, lambda tx: tx.fetch_one(UserSql.user_by_email, address))
        if user is None:
            new = NewUser(email=address, password=password, full_name=full_name)
            await self.registration.create(new, Role.ADMIN, Client())
            return f"{address} is registered as an admin"

        async def promote(tx: Tx) -> None:
            await tx.execute(UserSql.make_admin, user.id)
            await self.auth_log.record(tx, AuthEvent.ROLE_CHANGED, Client(), user.id)
            await self.sessions.end_all(tx, user.id)

        await self.database.write(SYSTEM, promote)
        return f"{address} is an admin now; their password is the one they had"

    async def add_access_codes(self, codes: Sequence[str]) -> None:
        """Creates the codes that do not exist yet. For the demo data: it checks no permission."""
        wanted = sorted({identity.access_code(code) for code in codes})
        await self.database.write(
            SYSTEM, lambda tx: tx.fetch(AccessCodeSql.insert_access_codes, wanted, self.clock.now())
        )

    async def rewrap_national_ids(self) -> int:
        """Moves every national id to the active key-encryption key, batch by batch. Returns how many were moved."""
        others = UserSql.national_ids_to_rewrap
        moving = rewrap_all(self.database, self.keyring, others, _stored, self._store_national_ids)
        return max([moved async for moved in moving], default=0)

    async def _store_national_ids(self, tx: Tx, ids: Sequence[UUID], wrapped: Sequence[bytes]) -> None:
        await tx.execute(UserSql.rewrap_national_ids, self.keyring.active, list(ids), list(wrapped))

    async def _insert_codes(self, tx: Tx, wanted: Sequence[str]) -> list[UUID]:
        inserted = await tx.fetch(AccessCodeSql.insert_access_codes, wanted, self.clock.now())
        ids = {code: code_id for code_id, code in inserted}
        with Faults() as faults:
            for place, code in enumerate(wanted):
                if code not in ids:
                    faults.add(("codes", str(place)), f"The code {code} exists already.")
        return [ids[code] for code in wanted]


def _require_admin(viewer: Viewer) -> None:
    if viewer.role is not Role.ADMIN:
        raise Forbidden


def _wanted(count: int | None, codes: Sequence[str] | None) -> list[str]:
    if (count is None) == (codes is None):
        raise InvalidInput("count", "Say either `count` or `codes`.")
    if codes is None:
        if not 1 <= (count or 0) <= MAX_CODES:
            raise InvalidInput("count", f"Give 1 to {MAX_CODES} codes at once.")
        return [_random_code() for _ in range(count or 0)]
    if not 1 <= len(codes) <= MAX_CODES:
        raise InvalidInput("codes", f"Give 1 to {MAX_CODES} codes at once.")
    wanted: list[str] = []
    with Faults() as faults:
        for place, code in enumerate(codes):
            path = ("codes", str(place))
            wanted.append(faults.check(identity.access_code, code, field=path))
            if wanted[-1] in wanted[:-1]:
                faults.add(path, "A code is listed twice.")
    return wanted


def _random_code() -> str:
    letters = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_GROUPS * CODE_GROUP_CHARS))
    return "-".join(letters[i : i + CODE_GROUP_CHARS] for i in range(0, len(letters), CODE_GROUP_CHARS))


def _stored(row: SealedNationalId) -> Stored:
    sealed = Sealed(row.national_id_kek_id, row.national_id_wrapped_key, row.national_id_ciphertext)
    return Stored(row.id, sealed, national_id_aad(row.id))

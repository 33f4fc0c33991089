"""Registration of users, with an access code or by an admin."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeAlias
from uuid import UUID, uuid4

from app.domains.accounts.model import AccessCodeInvalid, AuthEvent, Client, EmailTaken, NewUser, Role
from app.domains.accounts.rules import identity
from app.domains.accounts.services.auth_log import AuthLog, system_scope
from app.domains.accounts.services.devices import Devices
from app.domains.accounts.services.verification import Verification
from app.domains.accounts.statements import AccessCodeSql, ProfileSql, UserSql
from app.kit.addresses import source_of
from app.kit.clock import Clock
from app.kit.crypto.envelope import Keyring
from app.kit.crypto.passwords import Passwords
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import Faults, InvalidInput
from app.kit.idempotency import KeyedRequest, check_key, once_prepared
from app.kit.ratelimit import Limit, RateLimiter
from app.kit.tasks import SPARE_CORES

WriteForUser: TypeAlias = Callable[[Tx, UUID], Awaitable[None]]
"""Inserts something that a user begins with, in the transaction that inserts the user."""

CheckPublicKey: TypeAlias = Callable[[str], object]
"""Raises InvalidInput for a PEM public key that cannot have a wallet."""

PrepareForUser: TypeAlias = Callable[[NewUser], Awaitable[WriteForUser]]
"""Does the slow part of what a user begins with."""

# Counts unknown codes and taken addresses only. A request that loses the race for a code did know it.
REGISTRATION_LIMIT = Limit("register", 100, timedelta(hours=1), timedelta(minutes=1))

PREPARATIONS: Final = SPARE_CORES
"""Users prepared at once in a process: each takes a core for 100 ms or more that other requests wait for."""


def national_id_aad(user_id: UUID) -> bytes:
    """Returns the additional data that an encrypted national id is bound to."""
    return f"users:{user_id}:national_id".encode()


class _Prepared:
    """A validated user with everything that is slow to compute."""

    def __init__(self, new: NewUser, password_hash: str, writes: Sequence[WriteForUser]) -> None:
        self.new = new
        self.password_hash = password_hash
        self.writes = writes


@dataclass(frozen=True)
class Registration:
    """Registers users."""

    database: Database
    clock: Clock
    passwords: Passwords
    keyring: Keyring
    limiter: RateLimiter
    auth_log: AuthLog
    verification: Verification
    devices: Devices
    preparations: Sequence[PrepareForUser]
    check_public_key: CheckPublicKey
    _preparing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PREPARATIONS))

    async def register(
        self, new: NewUser, access_code: str, client: Client, *, idempotency_key: str | None = None
    ) -> UUID:
        """Registers a user and redeems the code, both or neither. Returns the user's id.

        Raises InvalidInput, AccessCodeInvalid, EmailTaken, RateLimited, IdempotencyKeyReused. EmailTaken is raised
        only for a valid code, which is worth more than knowing that an address is registered.
        """
        try:
            if idempotency_key is not None:
                return await self._once(new, access_code, client, idempotency_key)
            async with self._prepared(new, access_code, client) as redeem:
                return await self.database.write(system_scope(client), redeem)
        except (AccessCodeInvalid, EmailTaken) as error:
            refusal = error
        await self.auth_log.record_failure(AuthEvent.REGISTER, client, None, type(refusal).__name__)
        raise refusal

    async def create(self, new: NewUser, role: Role, client: Client) -> UUID:
        """Creates a verified user without a code. Raises InvalidInput, EmailTaken."""
        with Faults() as faults:
            checked = self._user(new, faults)
        prepared = await self._prepare(checked)
        return await self.database.write(
            system_scope(client), lambda tx: self._insert(tx, prepared, client, role=role, is_verified=True)
        )

    async def _once(self, new: NewUser, access_code: str, client: Client, key: str) -> UUID:
        check_key(key, lambda: self._checked(new, access_code))
        email = self._email(new, access_code)
        keyed = KeyedRequest(
            owner=f"register:{email}",
            user_id=None,
            key=key,
            operation="register",
            # Without the password: a digest of it would be stored, and a replay, which no limit may refuse, would tell
            # whether a password was guessed.
            request=[
                email,
                new.full_name.strip(),
                None if new.display_name is None else new.display_name.strip(),
                None if new.national_id is None else new.national_id.strip().upper(),
                new.public_key,
                access_code.strip().upper(),
            ],
        )
        registered = await once_prepared(
            self.database, system_scope(client), keyed, lambda: self._prepared(new, access_code, client), UUID
        )
        return registered.result

    def _email(self, new: NewUser, access_code: str) -> str:
        """The address of a new user. Raises InvalidInput, which then names all that is wrong with the request."""
        try:
            return identity.email(new.email)
        except InvalidInput:
            # No request with this address can have succeeded before.
            self._checked(new, access_code)
            raise

    @asynccontextmanager
    async def _prepared(
        self, new: NewUser, access_code: str, client: Client
    ) -> AsyncIterator[Callable[[Tx], Awaitable[UUID]]]:
        """Yields what inserts the user in a transaction. Everything slow is done before, without a connection."""
        charges = REGISTRATION_LIMIT.of(source_of(client.ip))
        # Held until the user exists: of many requests that race for a code, only a few use CPU time.
        async with self._preparing:
            new, code = self._checked(new, access_code)
            async with self.limiter.attempt(charges) as attempt:
                spent = await self.database.read(
                    SYSTEM, lambda tx: tx.fetch_one(AccessCodeSql.access_code_is_spent, code)
                )
                if spent is None:
                    await attempt.count()
                if spent is None or spent:
                    raise AccessCodeInvalid
                prepared = await self._prepare(new)
                try:
                    yield lambda tx: self._redeem(tx, prepared, code, client)
                except EmailTaken:
                    await attempt.count()
                    raise

    def _checked(self, new: NewUser, access_code: str) -> tuple[NewUser, str]:
        """Returns `new` and the code as they are stored. Raises InvalidInput for all fields that are wrong."""
        with Faults() as faults:
            return self._user(new, faults), faults.check(identity.access_code, access_code)

    def _user(self, new: NewUser, faults: Faults) -> NewUser:
        email, name, national_id = faults.check(identity.email, new.email), new.display_name, new.national_id
        if new.public_key is not None:
            with faults.at():
                self.check_public_key(new.public_key)
        return NewUser(
            email=email,
            password=faults.check(identity.password, new.password, email),
            full_name=faults.check(identity.full_name, new.full_name),
            display_name=None if name is None else faults.check(identity.display_name, name),
            national_id=None if national_id is None else faults.check(identity.national_id, national_id),
            public_key=new.public_key,
        )

    async def _redeem(self, tx: Tx, prepared: _Prepared, code: str, client: Client) -> UUID:
        code_id = await tx.fetch_one(AccessCodeSql.lock_free_access_code, code)
        if code_id is None:
            raise AccessCodeInvalid
        user_id = await self._insert(tx, prepared, client, role=Role.USER, is_verified=False)
        await tx.execute(AccessCodeSql.redeem_access_code, code_id, user_id, self.clock.now())
        await self.devices.remember(tx, user_id, client)
        await self.verification.issue(tx, user_id, prepared.new.email, client)
        return user_id

    async def _prepare(self, new: NewUser) -> _Prepared:
        writes = [await prepare(new) for prepare in self.preparations]
        return _Prepared(new, await self.passwords.hash(new.password), writes)

    async def _insert(self, tx: Tx, prepared: _Prepared, client: Client, *, role: Role, is_verified: bool) -> UUID:
        new, user_id, now = prepared.new, uuid4(), self.clock.now()
        sealed: tuple[object, ...] = (None, None, None)
        if new.national_id is not None:
            seal = self.keyring.seal(new.national_id.encode(), national_id_aad(user_id))
            sealed = (seal.kek_id, seal.wrapped_key, seal.ciphertext)
        user = (user_id, new.email, prepared.password_hash, new.full_name, role, is_verified, *sealed, now)
        if await tx.fetch_one(UserSql.insert_user, *user) is None:
            raise EmailTaken
        name = new.display_name or identity.default_display_name(user_id)
        await tx.execute(ProfileSql.insert_profile, user_id, name, now)
        for write in prepared.writes:
            await write(tx, user_id)
        await self.auth_log.record(tx, AuthEvent.REGISTER, client, user_id)
        return user_id

"""People for tests, made through the real services."""

from typing import Protocol
from uuid import UUID

import asyncpg

from app.domains.accounts.model import Client, NewUser, Role, Viewer
from app.domains.accounts.services import AccountsServices
from app.domains.accounts.services.sessions import LoggedIn
from app.kit.admission import Admission
from app.kit.crypto.passwords import Passwords
from app.kit.db import SYSTEM, Database

PASSWORD = "correct-horse-battery"
CLIENT = Client(ip="203.0.113.7", user_agent="tests")


class HasAccounts(Protocol):
    """Services, of which only those of accounts matter here."""

    def __getitem__(self, kind: type[AccountsServices], /) -> AccountsServices: ...


def cheap_passwords() -> Passwords:
    """Argon2id at the least that it accepts: a hash takes well under a millisecond."""
    return Passwords(memory_kib=8, passes=1, lanes=1)


def person(email: str, *, display_name: str | None = None) -> NewUser:
    """Somebody who wants to be a user."""
    name = email.partition("@")[0].capitalize()
    return NewUser(email=email, password=PASSWORD, full_name=f"{name} Test", display_name=display_name or name)


async def register(
    services: HasAccounts, email: str = "alice@example.com", *, role: Role = Role.USER, verified: bool = True
) -> Viewer:
    """A new user, logged in."""
    return (await register_session(services, email, role=role, verified=verified)).viewer


async def register_session(
    services: HasAccounts, email: str = "alice@example.com", *, role: Role = Role.USER, verified: bool = True
) -> LoggedIn:
    """A new user, logged in, with the session's tokens."""
    if verified:
        user_id = await services[AccountsServices].registration.create(person(email), role, CLIENT)
    else:
        user_id = await _register_unverified(services, email)
    return await open_session(services, user_id, role=role, verified=verified)


async def open_session(
    services: HasAccounts, user_id: UUID, *, role: Role = Role.USER, verified: bool = True
) -> LoggedIn:
    """Another session of a user."""
    sessions = services[AccountsServices].sessions
    return await sessions.database.write(SYSTEM, lambda tx: sessions.open(tx, user_id, role, verified, CLIENT))


async def _register_unverified(services: HasAccounts, email: str) -> UUID:
    code = f"FOR-{email.partition('@')[0].upper()}"
    await services[AccountsServices].administration.add_access_codes([code])
    return await services[AccountsServices].registration.register(person(email), code, CLIENT)


def nowhere() -> Database:
    """The pool of a database that is not there and that nothing may ask."""
    pool = asyncpg.create_pool("postgresql://127.0.0.1:1/nowhere", min_size=0)
    return Database(pool, Admission(1, waiting_limit=1), asyncpg.connect)

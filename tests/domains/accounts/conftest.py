"""The accounts house alone: real Postgres and Valkey, a mailbox in memory, wallets that are only recorded."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
import pytest_asyncio
from redis.asyncio import Redis

from app.domains.accounts.jobs import accounts_jobs
from app.domains.accounts.model import NewUser
from app.domains.accounts.services import AccountsServices
from app.domains.accounts.services.registration import WriteForUser
from app.kit.clock import FixedClock
from app.kit.crypto.envelope import Keyring
from app.kit.db import Database, Tx
from app.kit.events import EventLog
from app.kit.mail import Message
from app.settings import Settings
from tests.databases import Owner
from tests.factories import cheap_passwords


class Mailbox:
    """A mailer that keeps its messages."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def send(self, message: Message) -> None:
        self.messages.append(message)

    def last(self, pattern: str) -> str:
        """Returns the pattern's group in the newest mail."""
        found = re.search(pattern, self.messages[-1].text)
        assert found is not None, self.messages[-1].text
        return found[1]


@dataclass
class House:
    """The accounts services and their surroundings."""

    accounts: AccountsServices
    database: Database
    owner: Owner
    clock: FixedClock
    redis: Redis
    keyring: Keyring
    mailbox: Mailbox = field(default_factory=Mailbox)
    wallets: list[tuple[UUID, str | None]] = field(default_factory=list)
    prepared: int = 0
    """How many wallets were prepared, inserted or not."""
    with_exchange: set[UUID] = field(default_factory=set)

    def __getitem__(self, kind: type[AccountsServices]) -> AccountsServices:
        return self.accounts

    async def work(self) -> int:
        """Runs queued jobs, as the worker does, until none is left. Returns how many were run."""
        handlers = {job.name: job.handler for job in accounts_jobs(self.accounts)}
        done = 0
        while rows := await self.owner.fetch("SELECT id, entrypoint, payload FROM pgqueuer ORDER BY id"):
            for row in rows:
                await handlers[row["entrypoint"]](msgspec.json.decode(row["payload"]))
                await self.owner.execute("DELETE FROM pgqueuer WHERE id = $1", row["id"])
                done += 1
        return done

    async def add_code(self, code: str = "BITCOIN2025") -> str:
        await self.accounts.administration.add_access_codes([code])
        return code

    async def auth_log(self) -> list[tuple[str, bool]]:
        """Returns every event of the auth log and whether it succeeded, in order."""
        rows = await self.owner.fetch("SELECT event_type, success FROM auth_logs ORDER BY created_at, ctid")
        return [(row[0], row[1]) for row in rows]


@pytest_asyncio.fixture
async def house(database: Database, owner: Owner, redis: Redis, clock: FixedClock) -> AsyncIterator[House]:
    passwords, mailbox, keyring = cheap_passwords(), Mailbox(), Keyring.generate()

    async def prepare(new: NewUser) -> WriteForUser:
        built.prepared += 1

        async def write(tx: Tx, user_id: UUID) -> None:
            built.wallets.append((user_id, new.public_key))

        return write

    async def has_exchange(tx: Tx, user_id: UUID) -> bool:
        return user_id in built.with_exchange

    accounts = AccountsServices.build(
        settings=Settings(public_url="https://moneta.test"),
        secret="s" * 48,
        database=database,
        redis=redis,
        clock=clock,
        events=EventLog(database, redis),
        mailer=mailbox,
        keyring=keyring,
        passwords=passwords,
        preparations=(prepare,),
        check_public_key=lambda _: None,
        has_exchange=has_exchange,
    )
    built = House(accounts, database, owner, clock, redis, keyring, mailbox)
    yield built
    passwords.close()

"""People with wallets on a chain of their own."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from redis.asyncio import Redis

from app.domains.accounts.model import Client, Role, Viewer
from app.domains.ledger import model
from app.domains.ledger.rules.block import Block
from app.domains.ledger.services import LedgerServices
from app.domains.ledger.services.chain import solved
from app.domains.ledger.services.payments import MIN_FEE_UNITS
from app.domains.ledger.statements import WalletSql
from app.kit.clock import FixedClock
from app.kit.crypto.envelope import Keyring
from app.kit.crypto.rsa import RsaKey, generate_rsa_key
from app.kit.db import SYSTEM, Database
from app.kit.events import EventLog
from tests.conftest import Owner

MIN_FEE = Decimal(MIN_FEE_UNITS).scaleb(-8)
REWARD = Decimal(500)


@lru_cache(maxsize=8)
def rsa_key(number: int) -> RsaKey:
    """The same few keys in every test: making one takes a tenth of a second."""
    return generate_rsa_key()


def pem(key: RsaKey) -> str:
    """The public half as its owner sends it."""
    public = load_der_public_key(key.public_der)
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@dataclass(frozen=True)
class Person:
    """A user and their wallet. `key` is of an external wallet only."""

    viewer: Viewer
    wallet_id: str
    key: RsaKey | None = None


@dataclass
class Scene:
    """A chain, its services, and what a test wants of them."""

    database: Database
    owner: Owner
    clock: FixedClock
    services: LedgerServices

    @classmethod
    def over(cls, database: Database, owner: Owner, redis: Redis, clock: FixedClock) -> "Scene":
        """An empty ledger; rewards are mature after one block."""
        events, keyring = EventLog(database, redis), Keyring.generate()
        services = LedgerServices.build(database, clock, events, keyring, coinbase_maturity=1)
        return cls(database, owner, clock, services)

    async def person(self, *, key: RsaKey | None = None, verified: bool = True) -> Person:
        """A new user with a custodial wallet, or with one over `key`."""
        user_id = uuid4()
        insert = await self.services.wallets.prepare(pem(key) if key else None)
        await self.owner.execute(
            "INSERT INTO users (id, email, password_hash, full_name, is_verified) VALUES ($1, $2, 'x', 'Somebody', $3)",
            user_id,
            f"{user_id}@example.com",
            verified,
        )
        await self.owner.execute(
            # As registration leaves them: a user without a profile fails where one is asked for.
            "WITH profile AS (INSERT INTO profiles (user_id) VALUES ($1))"
            " INSERT INTO display_names (user_id, display_name) VALUES ($1, $2)",
            user_id,
            f"user {str(user_id)[:8]}",
        )
        await self.database.write(SYSTEM, lambda tx: insert(tx, user_id))
        wallet_id = await self.owner.fetchval("SELECT wallet_id FROM wallets WHERE user_id = $1", user_id)
        return Person(viewer_of(user_id, verified=verified, clock=self.clock), wallet_id, key)

    async def mine(self, miner: Person, blocks: int = 1) -> model.Block:
        """Connects blocks that pay `miner`; the first one begins the chain if need be. Ten seconds pass with each."""
        chain = self.services.chain
        for _ in range(blocks):
            self.clock.advance(timedelta(seconds=10))
            if not await chain.ensure_genesis(miner.wallet_id):
                template = await chain.template(miner.wallet_id)
                block: Block = await solved(template.block)
                await chain.connect(block, miner.wallet_id)
        row = await self.owner.fetchrow(
            "SELECT id, height, block_hash, previous_hash, version, merkle_root, timestamp, difficulty, nonce,"
            " miner_wallet_id, miner_reward, fees, transaction_count, size_bytes"
            " FROM blocks ORDER BY height DESC LIMIT 1"
        )
        assert row is not None
        return model.Block(*row)

    async def pay(self, sender: Person, recipient: Person, amount: str, *, key: str | None = None) -> str:
        """A transfer with the least fee; returns its hash."""
        command = model.TransferCommand(recipient_wallet_id=recipient.wallet_id, amount=Decimal(amount))
        return await self.services.transfers.transfer(sender.viewer, command, key or str(uuid4()))

    async def balance(self, person: Person) -> Decimal:
        """The stored balance."""
        value = await self.owner.fetchval("SELECT balance FROM wallet_balances WHERE wallet_id = $1", person.wallet_id)
        assert isinstance(value, Decimal)
        return value

    async def assert_books_balance(self) -> None:
        """Every stored balance is the sum of the outputs that can be spent."""
        rows = await self.owner.fetch("SELECT wallet_id::text, balance FROM wallet_balances")
        stored = {row[0]: row[1] for row in rows}
        sums = await self.owner.fetch(WalletSql.wallet_balance_sums.sql, list(stored))
        assert stored == {row[0]: row[1] for row in sums}

    async def status(self, transaction_hash: str) -> str:
        """Where a transaction stands."""
        return str(
            await self.owner.fetchval("SELECT status FROM transactions WHERE transaction_hash = $1", transaction_hash)
        )

    async def facts(self, person: Person) -> list[tuple[str, dict[str, object]]]:
        """What the wallet's stream holds, in order."""
        rows = await self.database.pool.fetch(
            "SELECT kind, payload FROM events WHERE stream = $1 ORDER BY seq", f"wallet:{person.wallet_id}"
        )
        return [(row["kind"], row["payload"]) for row in rows]


def viewer_of(user_id: UUID, *, verified: bool, clock: FixedClock) -> Viewer:
    """A logged-in user."""
    return Viewer(
        user_id=user_id,
        session_id=uuid4(),
        role=Role.USER,
        is_verified=verified,
        expires_at=clock.now() + timedelta(hours=1),
        client=Client(),
    )

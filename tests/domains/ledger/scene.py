"""Users with wallets on a chain of their own, all through the real services."""

import base64
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Self, TypeAlias
from uuid import UUID, uuid4, uuid5

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from redis.asyncio import Redis

from app.domains.accounts.model import Client, Role, Viewer
from app.domains.ledger import model
from app.domains.ledger.rules.amounts import to_units
from app.domains.ledger.rules.block import Block
from app.domains.ledger.rules.progress import NETWORK
from app.domains.ledger.rules.transaction import OutPoint, Transaction, TransactionOutput, encode
from app.domains.ledger.services import LedgerServices
from app.domains.ledger.services.chain import solved
from app.domains.ledger.services.payments import MIN_FEE_UNITS
from app.domains.ledger.services.replay import Replay, ReplayReport
from app.domains.ledger.statements import WalletSql
from app.kit.clock import FixedClock
from app.kit.crypto.envelope import Keyring
from app.kit.crypto.rsa import RsaKey, fingerprint, generate_rsa_key, sign
from app.kit.db import SYSTEM, Database, Tx
from app.kit.events import EventLog
from tests.databases import Owner

NAMES = ("alice", "bob", "carol", "dave")
NAMED_MATURITY = 2
"""Of a chain with named people."""
MIN_FEE = Decimal(MIN_FEE_UNITS).scaleb(-8)
REWARD = Decimal(500)
KEYRING = f"test:{base64.b64encode(bytes(32)).decode()}"
"""A known key, so that another process of the same test can open the wallets."""
_NAMESPACE = UUID("5d0d7b5e-6d2c-4f63-9b7a-3f3f7a1f0a11")


@cache
def rsa_key(name: int | str) -> RsaKey:
    """One key for each name in the whole run: generating one takes 100 ms."""
    return generate_rsa_key()


def pem(key: RsaKey) -> str:
    """The public half as its owner sends it."""
    public = load_der_public_key(key.public_der)
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@dataclass(frozen=True)
class Person:
    """A user and their wallet. `key` is set if they sign for themselves."""

    viewer: Viewer
    wallet_id: str
    key: RsaKey | None = None


Who: TypeAlias = Person | str
"""A person, or the name of one."""


@dataclass
class Scene:
    """A chain, its services, and what a test wants of them."""

    database: Database
    owner: Owner
    clock: FixedClock
    services: LedgerServices
    people: dict[str, Person] = field(default_factory=dict)

    @classmethod
    def over(
        cls, database: Database, owner: Owner, redis: Redis, clock: FixedClock, *, coinbase_maturity: int = 1
    ) -> Self:
        """An empty ledger. By default, rewards are mature after one block."""
        services = LedgerServices.build(
            database, clock, EventLog(database, redis), Keyring.parse(KEYRING), coinbase_maturity=coinbase_maturity
        )
        return cls(database, owner, clock, services)

    @classmethod
    async def with_people(cls, database: Database, owner: Owner, redis: Redis, clock: FixedClock) -> Self:
        """Alice, Bob, Carol and Dave with empty wallets, and no chain. Carol signs for herself."""
        scene = cls.over(database, owner, redis, clock, coinbase_maturity=NAMED_MATURITY)
        for name in NAMES:
            scene.people[name] = await scene._named(name)
        return scene

    def of(self, who: Who) -> Person:
        return who if isinstance(who, Person) else self.people[who]

    def wallet(self, who: Who) -> str:
        return self.of(who).wallet_id

    async def person(self, *, key: RsaKey | None = None, verified: bool = True) -> Person:
        """A new user with a custodial wallet, or with one over `key`."""
        insert = await self.services.wallets.prepare(pem(key) if key else None)
        return await self._insert(uuid4(), insert, key=key, verified=verified)

    async def _named(self, name: str) -> Person:
        key, user_id = rsa_key(name), user_of(name)
        if name == "carol":
            return await self._insert(user_id, await self.services.wallets.prepare(pem(key)), key=key)
        sealed = self.services.keys.seal(key.private_der, fingerprint(key.public_der), user_id)
        columns = (key.public_der, sealed.kek_id, sealed.wrapped_key, sealed.ciphertext)

        async def insert(tx: Tx, user_id: UUID) -> None:
            assert await tx.fetch_one(WalletSql.insert_wallet, fingerprint(key.public_der), user_id, *columns)

        return await self._insert(user_id, insert)

    async def _insert(
        self,
        user_id: UUID,
        insert_wallet: Callable[[Tx, UUID], Awaitable[None]],
        *,
        key: RsaKey | None = None,
        verified: bool = True,
    ) -> Person:
        await self.owner.execute(
            "INSERT INTO users (id, email, password_hash, full_name, is_verified) VALUES ($1, $2, 'x', 'Somebody', $3)",
            user_id,
            f"{user_id}@example.com",
            verified,
        )
        await self.owner.execute(
            # As registration leaves them: queries expect every user to have a profile.
            "WITH profile AS (INSERT INTO profiles (user_id) VALUES ($1))"
            " INSERT INTO display_names (user_id, display_name) VALUES ($1, $2)",
            user_id,
            f"user {str(user_id)[:8]}",
        )
        await self.database.write(SYSTEM, lambda tx: insert_wallet(tx, user_id))
        wallet_id = await self.owner.fetchval("SELECT wallet_id FROM wallets WHERE user_id = $1", user_id)
        return Person(viewer_of(user_id, verified=verified, clock=self.clock), wallet_id, key)

    async def begin(self, blocks: int = 0, miner: Who = "alice") -> None:
        """Genesis, and so many blocks on top."""
        assert await self.services.chain.ensure_genesis(self.wallet(miner))
        if blocks:
            await self.mine(miner, blocks)

    async def mine(self, miner: Who = "alice", blocks: int = 1) -> model.Block:
        """Connects blocks that pay `miner`; the first one begins the chain if need be. Ten seconds pass with each."""
        wallet_id = self.wallet(miner)
        for _ in range(blocks):
            self.clock.advance(timedelta(seconds=10))
            if not await self.services.chain.ensure_genesis(wallet_id):
                await self.services.chain.connect(await self.next_block(miner), wallet_id)
        row = await self.owner.fetchrow(
            "SELECT id, height, block_hash, previous_hash, version, merkle_root, timestamp, difficulty, nonce,"
            " miner_wallet_id, miner_reward, fees, transaction_count, size_bytes"
            " FROM blocks ORDER BY height DESC LIMIT 1"
        )
        assert row is not None
        return model.Block(*row)

    async def next_block(self, miner: Who = "alice") -> Block:
        """A solved block over the mempool, not connected."""
        return await solved((await self.services.chain.template(self.wallet(miner))).block)

    async def pay(
        self, sender: Who, recipient: Who, amount: str, *, fee: Decimal | None = None, key: str | None = None
    ) -> str:
        """A transfer, by default with the least fee; returns its hash."""
        command = model.TransferCommand(
            recipient_wallet_id=self.wallet(recipient), amount=Decimal(amount), fee=fee, memo="a payment"
        )
        return await self.services.transfers.transfer(self.of(sender).viewer, command, key or str(uuid4()))

    def payment(
        self, sender: str, inputs: Sequence[OutPoint], outputs: Sequence[tuple[str, int]], fee_units: int = 1000
    ) -> Transaction:
        return Transaction(
            network=NETWORK,
            sender_wallet_id=bytes.fromhex(self.wallet(sender)),
            inputs=tuple(inputs),
            outputs=tuple(TransactionOutput(bytes.fromhex(self.wallet(name)), units) for name, units in outputs),
            fee_units=fee_units,
            timestamp_ms=int(self.clock.now().timestamp() * 1000),
        )

    async def submit(self, name: str, transaction: Transaction) -> str:
        """Hash of a payment that its sender has signed."""
        encoding = encode(transaction)
        signature = sign(rsa_key(name).private_der, encoding)
        first, second = (base64.b64encode(raw).decode() for raw in (encoding, signature))
        return await self.services.submissions.submit(self.of(name).viewer, first, second, str(uuid4()))

    async def balance(self, person: Person) -> Decimal:
        """The stored balance."""
        value = await self.owner.fetchval("SELECT balance FROM wallet_balances WHERE wallet_id = $1", person.wallet_id)
        assert isinstance(value, Decimal)
        return value

    async def balances(self) -> dict[str, Decimal]:
        """The stored balances of the people with names."""
        return {name: await self.balance(person) for name, person in self.people.items()}

    async def assert_books_balance(self) -> None:
        """Every stored balance is the sum of the outputs that can be spent."""
        rows = await self.owner.fetch("SELECT wallet_id::text, balance FROM wallet_balances")
        stored = {row[0]: row[1] for row in rows}
        sums = await self.database.write(SYSTEM, lambda tx: tx.fetch(WalletSql.wallet_balance_sums, list(stored)))
        assert stored == dict(sums)

    async def coins(self, name: str) -> dict[OutPoint, int]:
        """Confirmed, mature, unspent outputs of a wallet in units."""
        rows = await self.owner.fetch(
            "SELECT transaction_hash, output_index, amount FROM utxos, blockchain_info WHERE wallet_id = $1"
            " AND NOT is_spent AND block_height <= tip_height + CASE WHEN is_coinbase THEN 1 - $2 ELSE 0 END"
            " ORDER BY 1, 2",
            self.wallet(name),
            NAMED_MATURITY,
        )
        return {OutPoint(bytes.fromhex(row[0]), row[1]): to_units(row[2]) for row in rows}

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

    async def replay(self) -> ReplayReport:
        return await Replay(self.database).run(lambda done, total: None)


def user_of(name: str) -> UUID:
    """The id of the person with this name, in every process."""
    return uuid5(_NAMESPACE, name)


def viewer_of(user_id: UUID, *, clock: FixedClock, verified: bool = True) -> Viewer:
    """A logged-in user."""
    return Viewer(
        user_id=user_id,
        session_id=uuid4(),
        role=Role.USER,
        is_verified=verified,
        expires_at=clock.now() + timedelta(hours=1),
        client=Client(),
    )

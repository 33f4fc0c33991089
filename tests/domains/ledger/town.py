"""A few people with wallets on a chain of their own, all through the real services."""

import base64
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any, TypeAlias
from uuid import UUID, uuid5

import asyncpg
from redis.asyncio import Redis

from app.domains.accounts.model import Client, Role, Viewer
from app.domains.ledger import model
from app.domains.ledger.model import TransferCommand
from app.domains.ledger.rules.amounts import to_units
from app.domains.ledger.rules.block import Block
from app.domains.ledger.rules.progress import NETWORK
from app.domains.ledger.rules.transaction import OutPoint, Transaction, TransactionOutput, encode
from app.domains.ledger.services import LedgerServices
from app.domains.ledger.services.chain import solved
from app.domains.ledger.services.replay import Replay, ReplayReport
from app.domains.ledger.statements import PAYMENTS as Q
from app.kit.clock import Clock, FixedClock
from app.kit.crypto.envelope import Keyring
from app.kit.crypto.rsa import RsaKey, fingerprint, generate_rsa_key, sign
from app.kit.db import SYSTEM, Database, Tx
from app.kit.events import EventLog
from app.kit.volatile import VolatileTopics

NAMES = ("alice", "bob", "carol", "dave")
MATURITY = 2
FEE = Decimal("0.00001000")
# A known key, so that another process of the same test can open the wallets.
KEYRING = f"test:{base64.b64encode(bytes(32)).decode()}"
Owner: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
_NAMESPACE = UUID("5d0d7b5e-6d2c-4f63-9b7a-3f3f7a1f0a11")


@cache
def key_of(name: str) -> RsaKey:
    """One key for each name in the whole run: making one takes 100 ms."""
    return generate_rsa_key()


def wallet_of(name: str) -> str:
    return fingerprint(key_of(name).public_der)


@dataclass(frozen=True)
class Town:
    """`carol` signs for herself; the others' keys are held by Moneta."""

    database: Database
    owner: Owner
    clock: FixedClock
    ledger: LedgerServices
    volatile: VolatileTopics
    _keys: list[int] = field(default_factory=lambda: [0])

    @classmethod
    async def found(cls, database: Database, owner: Owner, redis: Redis, clock: FixedClock) -> "Town":
        """People with empty wallets, and no chain."""
        events = EventLog(database, redis)
        ledger = LedgerServices.build(database, clock, events, Keyring.parse(KEYRING), coinbase_maturity=MATURITY)
        town = cls(database, owner, clock, ledger, VolatileTopics(redis))
        for name in NAMES:
            await town._settle(name)
        return town

    def viewer(self, name: str) -> Viewer:
        return viewer_of(name, self.clock)

    async def pay(self, sender: str, recipient: str, amount: str, fee: Decimal = FEE) -> str:
        """Hash of a custodial payment."""
        command = TransferCommand(
            recipient_wallet_id=wallet_of(recipient), amount=Decimal(amount), fee=fee, memo=f"{sender} to {recipient}"
        )
        return await self.ledger.transfers.transfer(self.viewer(sender), command, self.fresh_key())

    async def submit(self, name: str, transaction: Transaction) -> str:
        """Hash of a payment that its sender has signed."""
        encoding = encode(transaction)
        signature = sign(key_of(name).private_der, encoding)
        first, second = (base64.b64encode(raw).decode() for raw in (encoding, signature))
        return await self.ledger.submissions.submit(self.viewer(name), first, second, self.fresh_key())

    def payment(
        self, sender: str, inputs: Sequence[OutPoint], outputs: Sequence[tuple[str, int]], fee_units: int = 1000
    ) -> Transaction:
        return Transaction(
            network=NETWORK,
            sender_wallet_id=bytes.fromhex(wallet_of(sender)),
            inputs=tuple(inputs),
            outputs=tuple(TransactionOutput(bytes.fromhex(wallet_of(name)), units) for name, units in outputs),
            fee_units=fee_units,
            timestamp_ms=int(self.clock.now().timestamp() * 1000),
        )

    def fresh_key(self) -> str:
        """An idempotency key that was not used yet."""
        self._keys[0] += 1
        return f"key {self._keys[0]}"

    async def next_block(self, miner: str = "alice") -> Block:
        """A solved block over the mempool, not connected."""
        return await solved((await self.ledger.chain.template(wallet_of(miner))).block)

    async def mine(self, blocks: int = 1, miner: str = "alice") -> model.Block:
        """The last of `blocks` new blocks, ten seconds apart."""
        for _ in range(blocks):
            self.clock.advance(timedelta(seconds=10))
            stored = await self.ledger.chain.connect(await self.next_block(miner), wallet_of(miner))
        return stored

    async def begin(self, blocks: int = 0, miner: str = "alice") -> None:
        """Genesis, and so many blocks on top."""
        assert await self.ledger.chain.ensure_genesis(wallet_of(miner))
        if blocks:
            await self.mine(blocks, miner)

    async def balances(self) -> dict[str, Decimal]:
        """Stored balances by name."""
        rows = await self.owner.fetch("SELECT wallet_id, balance FROM wallet_balances")
        stored = {row[0]: row[1] for row in rows}
        return {name: stored[wallet_of(name)] for name in NAMES}

    async def balance_sums(self) -> dict[str, Decimal]:
        """What the balances must be, by the statement that the wallets themselves are recounted with."""
        wallets = [wallet_of(name) for name in NAMES]
        rows = await self.database.write(SYSTEM, lambda tx: tx.fetch(Q.wallet_balance_sums, wallets))
        sums = {row[0]: row[1] for row in rows}
        return {name: sums[wallet_of(name)] for name in NAMES}

    async def coins(self, name: str) -> dict[OutPoint, int]:
        """Confirmed, mature, unspent outputs of a wallet in units."""
        rows = await self.owner.fetch(
            "SELECT transaction_hash, output_index, amount FROM utxos, blockchain_info WHERE wallet_id = $1"
            " AND NOT is_spent AND block_height <= tip_height + CASE WHEN is_coinbase THEN 1 - $2 ELSE 0 END"
            " ORDER BY 1, 2",
            wallet_of(name),
            MATURITY,
        )
        return {OutPoint(bytes.fromhex(row[0]), row[1]): to_units(row[2]) for row in rows}

    async def replay(self) -> ReplayReport:
        return await Replay(self.database).run(lambda done, total: None)

    async def _settle(self, name: str) -> None:
        key, wallet_id, user_id = key_of(name), wallet_of(name), user_of(name)
        await self.owner.execute(
            "INSERT INTO users (id, email, password_hash, full_name, is_verified) VALUES ($1, $2, 'x', $3, true)",
            user_id,
            f"{name}@example.com",
            name,
        )
        sealed = self.ledger.keys.seal(key.private_der, wallet_id, user_id)
        box = (None, None, None) if name == "carol" else (sealed.kek_id, sealed.wrapped_key, sealed.ciphertext)

        def insert(tx: Tx) -> Awaitable[Any]:
            return tx.fetch_one(Q.insert_wallet, wallet_id, user_id, key.public_der, *box)

        assert await self.database.write(SYSTEM, insert) is not None


def user_of(name: str) -> UUID:
    return uuid5(_NAMESPACE, name)


def viewer_of(name: str, clock: Clock) -> Viewer:
    return Viewer(
        user_id=user_of(name),
        session_id=user_of(f"session of {name}"),
        role=Role.USER,
        is_verified=True,
        expires_at=clock.now() + timedelta(hours=1),
        client=Client(),
    )

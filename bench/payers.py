"""Payers: real custodial wallets with encrypted RSA keys, on a real chain. Their first coins are inserted by SQL."""

import asyncio
from typing import Final
from uuid import UUID

import asyncpg
import msgspec
from rich.progress import Progress

from app.domains.ledger.services import LedgerServices
from app.kit.crypto.passwords import Passwords
from app.kit.db import SYSTEM, Database, Tx

PAYERS: Final = 128
"""They take turns, so that no two payments of the load wait for one wallet."""
PASSWORD: Final = "correct-horse-battery"
COIN_VALUE: Final = 1


_INSERT_USER = """
WITH made AS (
    INSERT INTO users (email, full_name, password_hash, is_verified) VALUES ($1, 'A payer', $2, true) RETURNING id
), named AS (
    INSERT INTO display_names (user_id, display_name) SELECT id, 'A payer' FROM made
), profile AS (
    INSERT INTO profiles (user_id) SELECT id FROM made
)
SELECT id FROM made
"""


_GIVE_COINS = """
WITH missing AS (
    SELECT w.wallet_id, row_number() OVER () AS place, encode(sha256(uuid_send(gen_random_uuid())), 'hex') AS hash,
           $2 - (SELECT count(*) FROM utxos u WHERE u.wallet_id = w.wallet_id
                 AND NOT u.is_spent AND u.block_height IS NOT NULL AND NOT u.is_coinbase) AS coins
    FROM unnest($1::text[]) AS w (wallet_id)
), genesis AS (
    SELECT b.id, b.timestamp, (SELECT max(block_position) FROM transactions WHERE block_height = 0) AS last
    FROM blocks b WHERE b.height = 0
), made AS (
    INSERT INTO transactions (transaction_hash, recipient_wallet_id, amount, timestamp, encoding, size_bytes, status,
                              block_id, block_height, block_position)
    SELECT m.hash, m.wallet_id, m.coins * $3::numeric, g.timestamp, '', 1, 'confirmed', g.id, 0, g.last + m.place
    FROM missing m, genesis g WHERE m.coins > 0
)
INSERT INTO utxos (transaction_hash, output_index, wallet_id, amount, block_height)
SELECT m.hash, coin - 1, m.wallet_id, $3::numeric, 0 FROM missing m, generate_series(1, m.coins) AS coin
"""
_SET_BALANCES = """
UPDATE wallet_balances b SET balance = (
    SELECT coalesce(sum(u.amount), 0) FROM utxos u
    WHERE u.wallet_id = b.wallet_id AND NOT u.is_spent AND NOT u.is_coinbase
    AND (u.block_height IS NOT NULL OR u.is_change)
) WHERE b.wallet_id = ANY($1::text[])
"""


class Payer(msgspec.Struct, frozen=True):
    """A user and what they pay from."""

    user_id: UUID
    email: str
    wallet_id: str


async def make_payers(
    owner: "asyncpg.Connection[asyncpg.Record]", database: Database, ledger: LedgerServices, progress: Progress
) -> list[Payer]:
    """Verified users with wallets, and the chain's first block. All have one password, which is hashed once."""
    task = progress.add_task("Making wallets", total=PAYERS)
    passwords = Passwords()
    password_hash = await passwords.hash(PASSWORD)
    passwords.close()

    # One connection, one statement at a time.
    turn = asyncio.Lock()

    async def make(number: int) -> Payer:
        insert_wallet = await ledger.wallets.prepare(None)
        email = f"payer{number}@example.com"
        async with turn:
            user_id: UUID = await owner.fetchval(_INSERT_USER, email, password_hash)

        async def insert(tx: Tx) -> None:
            await insert_wallet(tx, user_id)

        await database.write(SYSTEM, insert)
        async with turn:
            wallet_id = await owner.fetchval("SELECT wallet_id FROM wallets WHERE user_id = $1", user_id)
        progress.advance(task)
        return Payer(user_id, email, wallet_id)

    payers = await asyncio.gather(*(make(number) for number in range(PAYERS)))
    await ledger.chain.ensure_genesis(payers[0].wallet_id)
    return payers


async def give_coins(owner: "asyncpg.Connection[asyncpg.Record]", payers: list[Payer], each: int) -> None:
    """Tops every wallet up to `each` confirmed coins of COIN_VALUE; at most 256, the outputs of one transaction.

    The coins are outputs of made-up transactions in the genesis block: no rule checks the origin of a confirmed output.
    """
    wallet_ids = [payer.wallet_id for payer in payers]
    async with owner.transaction():
        await owner.execute(_GIVE_COINS, wallet_ids, each, COIN_VALUE)
        await owner.execute(_SET_BALANCES, wallet_ids)
    await owner.execute("VACUUM (ANALYZE)")
    await owner.execute("CHECKPOINT")

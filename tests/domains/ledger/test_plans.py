"""No page, no lookup and no payment reads a whole table."""

import json
from typing import Any

import pytest_asyncio

from app.domains.ledger import loaders
from app.domains.ledger.statements import MempoolSql, PaymentSql, WalletSql
from app.kit.loaders import Many, One, Page
from app.kit.sql import Statement
from tests.databases import Owner
from tests.lists import count_of, page_of
from tests.statements import statement

WALLETS = 5_000
BUSY = 100
BLOCKS = 1_000
TRANSACTIONS = 20_000
# Tables with so few rows that a scan is the right plan.
SMALL = {"blockchain_info", "wallet_keys"}

FILL = f"""
SET session_replication_role = replica;
INSERT INTO users (id, email, password_hash, full_name)
SELECT lpad(n::text, 32, '0')::uuid, n || '@example.com', 'x', 'x' FROM generate_series(1, {WALLETS}) n;
INSERT INTO wallets (wallet_id, user_id, public_key, custody)
SELECT encode(sha256(n::text::bytea), 'hex'), lpad(n::text, 32, '0')::uuid, n::text::bytea, 'external'
FROM generate_series(1, {WALLETS}) n;
INSERT INTO wallet_balances (wallet_id, user_id) SELECT wallet_id, user_id FROM wallets;
INSERT INTO blocks (height, block_hash, previous_hash, version, merkle_root, timestamp, difficulty, nonce,
                    miner_wallet_id, miner_reward, fees, transaction_count, size_bytes)
SELECT n, encode(sha256(('b' || n)::bytea), 'hex'),
       CASE n WHEN 0 THEN repeat('0', 64) ELSE encode(sha256(('b' || n - 1)::bytea), 'hex') END, 1, repeat('0', 64),
       now() + n * interval '10 s', 8, 0, encode(sha256((n % {BUSY} + 1)::text::bytea), 'hex'), 500, 0, 20, 5000
FROM generate_series(0, {BLOCKS} - 1) n;
INSERT INTO transactions (transaction_hash, sender_wallet_id, recipient_wallet_id, amount, timestamp, signature,
                          encoding, size_bytes, status, block_id, block_height, block_position)
SELECT encode(sha256(('t' || n)::bytea), 'hex'), encode(sha256((n % {BUSY} + 1)::text::bytea), 'hex'),
       encode(sha256((n * 7 % {BUSY} + 1)::text::bytea), 'hex'), 1, now() + n * interval '1 s', '', '', 400,
       CASE WHEN b.id IS NULL THEN 'pending' ELSE 'confirmed' END, b.id, b.height,
       CASE WHEN b.id IS NOT NULL THEN n % 20 END
FROM generate_series(0, {TRANSACTIONS} + 199) n LEFT JOIN blocks b ON b.height = n / 20;
INSERT INTO utxos (transaction_hash, output_index, wallet_id, amount, block_height, spent_in_tx_hash, spent_input_index)
SELECT t.transaction_hash, 0, t.recipient_wallet_id, 1, t.block_height,
       CASE WHEN t.sequence % 2 = 0 THEN encode(sha256(('t' || t.sequence)::bytea), 'hex') END,
       CASE WHEN t.sequence % 2 = 0 THEN 0 END
FROM transactions t;
INSERT INTO beneficiaries (user_id, beneficiary_wallet_id)
SELECT a.user_id, b.wallet_id
FROM (SELECT user_id FROM wallets LIMIT 100) a CROSS JOIN (SELECT wallet_id FROM wallets LIMIT 200) b;
INSERT INTO blockchain_info (network, coinbase_maturity, tip_hash, tip_height, circulating_coins, total_transactions,
    total_blocks, current_difficulty, average_block_time, halving_height, current_halving_number)
SELECT 'MNTA', 10, block_hash, height, 0, 0, height + 1, 8, 10, 21000, 0 FROM blocks ORDER BY height DESC LIMIT 1;
RESET session_replication_role;
ANALYZE;
"""


@pytest_asyncio.fixture
async def full(owner: Owner) -> Owner:
    """Tables large enough for a plan to matter."""
    await owner.execute(FILL)
    return owner


async def scans(owner: Owner, query: Statement, *arguments: object) -> set[str]:
    """Tables that a statement reads from end to end, be it planned for these arguments, as a pool's connection does at
    first, or for any, as it may later."""
    # EXPLAIN plans for the arguments that it is given; a generic plan needs a prepared statement.
    await owner.execute(f"SET plan_cache_mode = force_generic_plan; PREPARE tried AS {query.sql}")
    nulls = f"({', '.join(['NULL'] * len(arguments))})" if arguments else ""
    plans = (
        await owner.fetchval(f"EXPLAIN (FORMAT JSON) {query.sql}", *arguments),
        await owner.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE tried{nulls}"),
    )
    await owner.execute("DEALLOCATE tried")
    return {table for plan in plans for table in _scans(json.loads(plan)[0]["Plan"])} - SMALL


def _scans(node: dict[str, Any]) -> list[str]:
    here = [node["Relation Name"]] if node["Node Type"] == "Seq Scan" else []
    return here + [name for child in node.get("Plans", []) for name in _scans(child)]


async def keys_of(owner: Owner) -> dict[str, list[Any]]:
    """Some keys for each type of key."""
    return {
        "wallet": [row[0] for row in await owner.fetch("SELECT DISTINCT miner_wallet_id::text FROM blocks LIMIT 3")],
        "user": [row[0] for row in await owner.fetch("SELECT user_id FROM wallets LIMIT 3")],
        "block": [row[0] for row in await owner.fetch("SELECT id FROM blocks LIMIT 3")],
        "block_hash": [row[0] for row in await owner.fetch("SELECT block_hash::text FROM blocks LIMIT 3")],
        "height": [7, 400, 999],
        "transaction": [row[0] for row in await owner.fetch("SELECT transaction_hash::text FROM transactions LIMIT 3")],
        "beneficiary": [row[0] for row in await owner.fetch("SELECT id FROM beneficiaries LIMIT 3")],
    }


KEYS: dict[str, tuple[One[Any] | Many[Any] | Page[Any], ...]] = {
    "wallet": (
        loaders.wallet_by_id,
        loaders.balance_by_wallet,
        loaders.pending_by_wallet,
        loaders.utxos_by_wallet,
        loaders.blocks_by_miner,
        loaders.transactions_by_wallet,
    ),
    "user": (loaders.wallet_by_user, loaders.beneficiaries_by_user),
    "block": (loaders.block_by_id,),
    "block_hash": (loaders.block_by_hash, loaders.block_by_previous_hash),
    "height": (loaders.block_by_height, loaders.leaves_by_height, loaders.transactions_by_block),
    "transaction": (
        loaders.transaction_by_hash,
        loaders.inputs_by_transaction,
        loaders.outputs_by_transaction,
    ),
    "beneficiary": (loaders.beneficiary_by_id,),
}


async def test_no_loader_scans_a_table(full: Owner) -> None:
    keys = await keys_of(full)
    for kind, group in KEYS.items():
        for loader in group:
            if isinstance(loader, Page):
                for query, arguments in (page_of(loader, *keys[kind]), count_of(loader, *keys[kind])):
                    assert await scans(full, query, *arguments) == set(), loader.name
            else:
                assert await scans(full, loader.query, keys[kind]) == set(), loader.query.name
    for list_of_all in (loaders.blocks, loaders.mempool):
        query, arguments = page_of(list_of_all)
        assert await scans(full, query, *arguments) == set(), list_of_all.name


async def test_no_payment_scans_a_table(full: Owner) -> None:
    keys = await keys_of(full)
    user, wallet = keys["user"][0], keys["wallet"][0]
    for query, arguments in (
        (PaymentSql.lock_payer, (user,)),
        (PaymentSql.payer, (user, wallet, 256, 64)),
        (PaymentSql.submitter, (wallet, keys["transaction"][0], wallet)),
        (PaymentSql.unspent_at, (keys["transaction"], [0, 0, 0])),
        (MempoolSql.mempool_is_full, (20_000,)),
        (WalletSql.lock_balances, (keys["wallet"],)),
        (WalletSql.wallet_balance_sums, (keys["wallet"],)),
        (MempoolSql.release_inputs, (keys["transaction"],)),
        (MempoolSql.delete_outputs, (keys["transaction"],)),
    ):
        assert await scans(full, query, *arguments) == set(), query.name


async def test_the_tables_are_large_enough_for_the_plans_to_mean_something(full: Owner) -> None:
    everything = statement("", "", "SELECT memo FROM transactions WHERE memo = $1")
    assert await scans(full, everything, "x") == {"transactions"}

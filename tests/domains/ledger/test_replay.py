"""The replay finds rows that were changed directly, and reports where."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from app.domains.ledger.services.replay import Replay
from app.kit.clock import FixedClock
from app.kit.db import Database
from tests.databases import Owner
from tests.domains.ledger.scene import Scene

TIP = 10
# Block 6 holds a payment by alice with change, block 8 spends that change, and one payment is still pending.
IN_BLOCK_6 = "(SELECT transaction_hash FROM transactions WHERE block_height = 6 AND block_position = 1)"
COINBASE_6 = "(SELECT transaction_hash FROM transactions WHERE block_height = 6 AND block_position = 0)"


@pytest_asyncio.fixture
async def scene(database: Database, owner: Owner, redis: Redis, clock: FixedClock) -> AsyncIterator[Scene]:
    scene = await Scene.with_people(database, owner, redis, clock)
    await scene.begin(blocks=5)
    for _ in range(3):
        await scene.pay("alice", "bob", "700")
    await scene.mine(miner="carol")
    await scene.pay("bob", "alice", "1")
    await scene.mine(miner="bob")
    await scene.pay("alice", "bob", "600")
    await scene.mine("alice", 3)
    await scene.pay("bob", "carol", "0.5")
    yield scene


async def test_a_sound_chain_is_found_sound(scene: Scene) -> None:
    calls: list[tuple[int, int]] = []
    report = await Replay(scene.database).run(lambda done, total: calls.append((done, total)))
    assert (report.wrong_height, report.reason) == (None, None)
    assert (report.blocks, report.transactions) == (11, 16)
    assert calls == [(0, 11), (11, 11)]
    assert len(report.utxo_set_hash) == 64


async def test_no_chain_is_a_sound_chain(database: Database, clock: FixedClock) -> None:
    report = await Replay(database).run(lambda done, total: None)
    assert (report.blocks, report.wrong_height) == (0, None)


@pytest.mark.parametrize(
    ("statement", "height", "reason"),
    [
        (
            f"UPDATE transactions SET encoding = set_bit(encoding, 333, 1 - get_bit(encoding, 333))"
            f" WHERE transaction_hash = {IN_BLOCK_6}",
            6,
            "its bytes do not hash to",
        ),
        (
            f"UPDATE transactions SET signature = set_bit(signature, 9, 1 - get_bit(signature, 9))"
            f" WHERE transaction_hash = {IN_BLOCK_6}",
            6,
            "bad_signature",
        ),
        (f"UPDATE transactions SET memo = 'x' WHERE transaction_hash = {IN_BLOCK_6}", 6, "transactions.memo"),
        (f"UPDATE transactions SET amount = 1 WHERE transaction_hash = {IN_BLOCK_6}", 6, "transactions.amount"),
        (f"UPDATE transactions SET fee = 1 WHERE transaction_hash = {IN_BLOCK_6}", 6, "transactions.fee"),
        (
            f"UPDATE transactions SET timestamp = timestamp + interval '1 s' WHERE transaction_hash = {IN_BLOCK_6}",
            6,
            "transactions.timestamp",
        ),
        (
            f"UPDATE transactions SET recipient_wallet_id = sender_wallet_id WHERE transaction_hash = {IN_BLOCK_6}",
            6,
            "transactions.recipient_wallet_id",
        ),
        (
            f"UPDATE transactions SET sender_wallet_id = recipient_wallet_id WHERE transaction_hash = {IN_BLOCK_6}",
            6,
            "transactions.sender_wallet_id",
        ),
        (
            "UPDATE transactions SET block_position = 7 - block_position WHERE block_height = 6 AND block_position > 0",
            6,
            "transaction 1 is missing",
        ),
        (
            "UPDATE transactions SET block_position = -block_position WHERE block_height = 6 AND block_position > 0;"
            "UPDATE transactions SET block_position = 4 + block_position WHERE block_height = 6 AND block_position < 0",
            6,
            "merkle_root_mismatch",
        ),
        (f"DELETE FROM transactions WHERE transaction_hash = {IN_BLOCK_6}", 6, "transaction 1 is missing"),
        ("DELETE FROM transactions WHERE block_height = 7", 7, "empty_block"),
        (f"UPDATE utxos SET amount = amount + 1 WHERE transaction_hash = {COINBASE_6}", 6, "the row of output 0"),
        (
            f"UPDATE utxos SET amount = amount + 1 WHERE transaction_hash = {IN_BLOCK_6} AND is_change",
            6,
            "the row of output 1",
        ),
        (f"UPDATE utxos SET wallet_id = $wallet WHERE transaction_hash = {COINBASE_6}", 6, "the row of output 0"),
        (f"UPDATE utxos SET block_height = 5 WHERE transaction_hash = {COINBASE_6}", 6, "the row of output 0"),
        (f"UPDATE utxos SET is_coinbase = false WHERE transaction_hash = {COINBASE_6}", 6, "the row of output 0"),
        (f"UPDATE utxos SET is_change = NOT is_change WHERE transaction_hash = {IN_BLOCK_6}", 6, "the row of output 0"),
        (f"DELETE FROM utxos WHERE transaction_hash = {COINBASE_6}", 6, "the row of output 0"),
        (
            "INSERT INTO utxos (transaction_hash, output_index, wallet_id, amount, block_height)"
            f" SELECT transaction_hash, 9, wallet_id, 1, 6 FROM utxos WHERE transaction_hash = {COINBASE_6}",
            6,
            "there is a row of output 9",
        ),
        (
            f"UPDATE utxos SET spent_in_tx_hash = NULL, spent_input_index = NULL WHERE spent_in_tx_hash = {IN_BLOCK_6}",
            6,
            "marked as spent by None",
        ),
        (
            f"UPDATE utxos SET spent_in_tx_hash = {IN_BLOCK_6}, spent_input_index = 9"
            f" WHERE transaction_hash = {COINBASE_6}",
            6,
            "is spent by None",
        ),
        (
            f"UPDATE utxos SET spent_input_index = 9 WHERE spent_in_tx_hash = {IN_BLOCK_6} AND spent_input_index = 0",
            6,
            "marked as spent by",
        ),
        ("DELETE FROM blocks WHERE height = 6", 6, "the block is missing"),
        ("DELETE FROM blocks WHERE height = 0", 0, "the block is missing"),
        ("DELETE FROM blocks WHERE height = 10", 10, "the block is missing"),
        ("UPDATE blocks SET miner_reward = miner_reward + 1 WHERE height = 6", 6, "blocks.miner_reward"),
        ("UPDATE blocks SET fees = 0 WHERE height = 6", 6, "blocks.fees"),
        ("UPDATE blocks SET miner_wallet_id = $wallet WHERE height = 6", 6, "blocks.miner_wallet_id"),
        ("UPDATE blocks SET transaction_count = 9 WHERE height = 6", 6, "blocks.transaction_count"),
        ("UPDATE blocks SET size_bytes = 9 WHERE height = 6", 6, "blocks.size_bytes"),
        ("UPDATE blocks SET block_hash = reverse(block_hash) WHERE height = 6", 6, "blocks.block_hash"),
        ("UPDATE blocks SET difficulty = 2 WHERE height = 6", 6, "wrong_difficulty"),
        ("UPDATE blocks SET version = 2 WHERE height = 6", 6, "malformed_header"),
        ("UPDATE blocks SET previous_hash = reverse(previous_hash) WHERE height = 6", 6, "wrong_previous_hash"),
        ("UPDATE blocks SET timestamp = '2000-01-01Z' WHERE height = 6", 6, "too_"),
        ("UPDATE blocks SET timestamp = timestamp + interval '1 ms' WHERE height = 6", 6, "blocks.timestamp"),
        ("UPDATE blockchain_info SET circulating_coins = 1", TIP, "blockchain_info.circulating_coins"),
        ("UPDATE blockchain_info SET total_transactions = 1", TIP, "blockchain_info.total_transactions"),
        ("UPDATE blockchain_info SET current_difficulty = 4", TIP, "blockchain_info.current_difficulty"),
        ("UPDATE blockchain_info SET average_block_time = 9", TIP, "blockchain_info.average_block_time"),
        ("DELETE FROM blockchain_info", 0, "blockchain_info is empty"),
        ("UPDATE wallet_balances SET balance = balance + 0.00000001", TIP, "has a balance of"),
        ("DELETE FROM wallet_balances WHERE balance > 0", TIP, "has outputs and no balance"),
        (
            "UPDATE utxos SET spent_in_tx_hash = NULL, spent_input_index = NULL WHERE spent_in_tx_hash ="
            " (SELECT transaction_hash FROM transactions WHERE status = 'pending')",
            TIP,
            "is set aside for None",
        ),
        ("DELETE FROM transactions WHERE status = 'pending'", TIP, "is set aside for"),
        ("UPDATE transactions SET encoding = '' WHERE status = 'pending'", TIP, "has other bytes"),
        (
            "UPDATE utxos SET block_height = 3 WHERE block_height IS NULL AND NOT is_change",
            TIP,
            "the unspent outputs hash to",
        ),
    ],
)
async def test_each_change_is_found_where_it_is(scene: Scene, statement: str, height: int, reason: str) -> None:
    # As the owner with the triggers off: foreign keys would forbid some of this.
    await scene.owner.execute(
        "SET session_replication_role = replica;"
        "ALTER TABLE transactions DROP CONSTRAINT transactions_block_position_check"
    )
    other = await scene.owner.fetchval(
        "SELECT min(wallet_id::text) FROM wallets WHERE wallet_id <>"
        " (SELECT miner_wallet_id FROM blocks WHERE height = 6)"
    )
    await scene.owner.execute(statement.replace("$wallet", f"'{other}'"))
    report = await scene.replay()
    assert report.wrong_height == height, report.reason
    assert report.reason is not None
    assert reason in report.reason
    assert report.blocks == (TIP + 1 if height == TIP and "missing" not in report.reason else height)

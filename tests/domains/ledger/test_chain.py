"""The chain on real tables: what a block changes, and what it must not."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from app.domains.ledger.rules.amounts import COIN
from app.domains.ledger.rules.block import Block
from app.domains.ledger.rules.progress import GENESIS_TIMESTAMP_S
from app.domains.ledger.rules.transaction import OutPoint, SignedTransaction, TransactionOutput
from app.domains.ledger.rules.violations import RuleBroken, Violation
from app.domains.ledger.services.chain import ChainMoved, solved
from app.domains.ledger.services.connector import MempoolMismatch, NotInMempool
from app.domains.ledger.services.templates import NoChain
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.work import Work, working
from tests.domains.ledger.rules.chain import block_of
from tests.domains.ledger.town import NAMES, Owner, Town, wallet_of

TABLES = ("blocks", "transactions", "utxos", "wallet_balances", "blockchain_info", "event_streams", "events")


@pytest_asyncio.fixture
async def town(database: Database, owner: Owner, redis: Redis, clock: FixedClock) -> AsyncIterator[Town]:
    yield await Town.found(database, owner, redis, clock)


async def everything(owner: Owner) -> list[list[Any]]:
    return [await owner.fetch(f"SELECT t::text FROM {table} t ORDER BY 1") for table in TABLES]


async def news_of(owner: Owner, stream: str) -> list[tuple[str, dict[str, Any]]]:
    rows = await owner.fetch("SELECT kind, payload::text FROM events WHERE stream = $1 ORDER BY seq", stream)
    return [(kind, msgspec.json.decode(payload)) for kind, payload in rows]


async def test_a_chain_begins_once(town: Town) -> None:
    with pytest.raises(NoChain):
        await town.ledger.chain.template(wallet_of("alice"))
    assert await town.ledger.chain.state() is None
    begun = await asyncio.gather(*(town.ledger.chain.ensure_genesis(wallet_of(name)) for name in NAMES for _ in "12"))
    assert sorted(begun) == [False] * 7 + [True]
    state = await town.ledger.chain.state()
    assert state is not None
    assert (state.tip_height, state.total_blocks, state.total_transactions) == (0, 1, 1)
    assert (state.network, state.coinbase_maturity, state.current_difficulty) == (b"MNTA", 2, 3)
    assert (state.circulating_coins, state.burned_coins) == (Decimal(500), Decimal(0))
    assert (state.average_block_time, state.halving_height, state.current_halving_number) == (Decimal(0), 21_000, 0)
    assert await town.owner.fetchval("SELECT extract(epoch FROM timestamp) FROM blocks") == GENESIS_TIMESTAMP_S


async def test_a_reward_can_be_spent_when_it_is_mature(town: Town) -> None:
    await town.begin()
    seen = [(await town.balances())["alice"]]
    for _ in range(4):
        await town.mine()
        seen.append((await town.balances())["alice"])
    # Maturity 2: the reward of block h is spendable in block h + 2, so from tip h + 1 on.
    assert seen == [0, 500, 1000, 1500, 2000]
    assert await town.balance_sums() == await town.balances()


async def test_a_block_confirms_what_waits(town: Town) -> None:
    await town.begin(blocks=3, miner="alice")
    paid = await town.pay("alice", "bob", "120.5", fee=Decimal("0.25"))
    assert (await town.balances())["bob"] == 0
    before = await town.balances()
    block = await town.mine(miner="carol")
    rows = await town.owner.fetch(
        "SELECT status, block_id, block_height, block_position FROM transactions WHERE transaction_hash = $1", paid
    )
    assert [tuple(row) for row in rows] == [("confirmed", block.id, 4, 1)]
    assert await town.owner.fetchval("SELECT array_agg(block_height) FROM utxos WHERE transaction_hash = $1", paid) == [
        4,
        4,
    ]
    assert (block.miner_wallet_id, block.miner_reward, block.fees) == (
        wallet_of("carol"),
        Decimal("500.25"),
        Decimal("0.25"),
    )
    # The reward of block 3, mined by alice, matures with this block; her change was hers all along.
    assert await town.balances() == before | {"alice": before["alice"] + 500, "bob": Decimal("120.5")}
    assert await town.balance_sums() == await town.balances()
    state = await town.ledger.chain.state()
    assert state is not None
    assert (state.tip_hash, state.total_transactions, state.circulating_coins) == (block.block_hash, 6, Decimal(2500))
    assert state.average_block_time == Decimal("10.00")


async def test_a_block_is_told_to_all_whom_it_concerns(town: Town) -> None:
    await town.begin(blocks=3)
    paid = await town.pay("alice", "bob", "1")
    block = await town.mine(miner="carol")
    coinbase = await town.owner.fetchval(
        "SELECT transaction_hash FROM transactions WHERE block_height = 4 AND block_position = 0"
    )
    confirmed = ("transaction.confirmed", {"hash": paid, "height": 4})
    changed = ("balance.changed", {"height": 4})
    assert (await news_of(town.owner, f"wallet:{wallet_of('alice')}"))[-2:] == [confirmed, changed]
    assert (await news_of(town.owner, f"wallet:{wallet_of('bob')}"))[-2:] == [confirmed, changed]
    # The miner's reward is not mature: the same balance, and more on the way.
    assert await news_of(town.owner, f"wallet:{wallet_of('carol')}") == [
        ("transaction.confirmed", {"hash": coinbase, "height": 4}),
        changed,
    ]
    chain = await news_of(town.owner, "chain")
    assert [kind for kind, _ in chain] == ["block.connected"] * 5
    assert chain[-1][1] == {"height": 4, "hash": block.block_hash}


async def test_parents_come_before_children_and_higher_fees_first(town: Town) -> None:
    await town.begin(blocks=4)
    coin, other, *_ = (await town.coins("alice")).items()
    parent = town.payment("alice", [coin[0]], [("bob", COIN), ("alice", coin[1] - COIN - 1000)])
    await town.submit("alice", parent)
    parent_hash = await town.owner.fetchval("SELECT transaction_hash FROM transactions WHERE status = 'pending'")
    change = OutPoint(bytes.fromhex(parent_hash), 1)
    child_units = coin[1] - COIN - 1000 - COIN - 9000
    child = await town.submit("alice", town.payment("alice", [change], [("bob", COIN), ("alice", child_units)], 9000))
    dear = await town.submit("alice", town.payment("alice", [other[0]], [("bob", other[1] - 5000)], 5000))
    await town.mine()
    rows = await town.owner.fetch(
        "SELECT transaction_hash FROM transactions WHERE block_height = 5 ORDER BY block_position"
    )
    assert [row[0] for row in rows][1:] == [dear, parent_hash, child]


async def test_a_template_leaves_out_what_no_block_may_hold(town: Town) -> None:
    await town.begin(blocks=4)
    first = await town.pay("alice", "bob", "900")
    second = await town.pay("alice", "carol", "300")
    await town.owner.execute("UPDATE transactions SET signature = $2 WHERE transaction_hash = $1", first, bytes(256))
    await town.mine()
    rows = await town.owner.fetch(
        "SELECT transaction_hash, status FROM transactions WHERE sender_wallet_id IS NOT NULL"
    )
    assert {row[0]: row[1] for row in rows} == {first: "pending", second: "confirmed"}


async def test_the_second_block_on_the_same_tip_is_refused(town: Town) -> None:
    await town.begin(blocks=1)
    one, other = await town.next_block("alice"), await town.next_block("bob")
    await town.ledger.chain.connect(one, wallet_of("alice"))
    before = await everything(town.owner)
    with pytest.raises(ChainMoved):
        await town.ledger.chain.connect(other, wallet_of("bob"))
    assert await everything(town.owner) == before


async def test_of_many_blocks_on_one_tip_one_wins(town: Town) -> None:
    await town.begin(blocks=1)
    blocks = [(await town.next_block(name), wallet_of(name)) for name in NAMES for _ in range(4)]
    results = await asyncio.gather(*(town.ledger.chain.connect(*entry) for entry in blocks), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Block"] + ["ChainMoved"] * 15
    assert (await town.replay()).wrong_height is None


async def test_a_block_that_breaks_a_rule_changes_nothing(town: Town) -> None:
    await town.begin(blocks=2)
    await town.pay("alice", "bob", "1")
    honest = await town.next_block()
    before = await everything(town.owner)
    coinbase = honest.transactions[0].transaction
    greedy = msgspec.structs.replace(
        coinbase, outputs=(TransactionOutput(bytes.fromhex(wallet_of("alice")), coinbase.output_units + 1),)
    )
    block = block_of(honest.header, [SignedTransaction(greedy, b""), *honest.transactions[1:]])
    with pytest.raises(RuleBroken) as refused:
        await town.ledger.chain.connect(block, wallet_of("alice"))
    assert refused.value.violation is Violation.WRONG_COINBASE_AMOUNT
    assert await everything(town.owner) == before


async def test_a_block_holds_only_what_waits_in_the_mempool(town: Town) -> None:
    await town.begin(blocks=2)
    (outpoint, units), *_ = (await town.coins("alice")).items()
    paid = await town.submit("alice", town.payment("alice", [outpoint], [("bob", units - 1000)]))
    block = await town.next_block()
    await town.owner.execute(
        "UPDATE transactions SET status = 'failed', failure_reason = 'test' WHERE transaction_hash = $1", paid
    )
    before = await everything(town.owner)
    with pytest.raises(NotInMempool):
        await town.ledger.chain.connect(block, wallet_of("alice"))
    await town.owner.execute(
        "UPDATE utxos SET spent_in_tx_hash = NULL, spent_input_index = NULL WHERE spent_in_tx_hash = $1", paid
    )
    with pytest.raises(RuleBroken) as refused:
        await town.ledger.chain.connect(block, wallet_of("alice"))
    assert refused.value.violation is Violation.OUTPUT_NOT_AVAILABLE
    assert (await everything(town.owner))[0] == before[0]


async def test_a_row_that_says_other_than_the_signed_bytes_stops_the_block(town: Town) -> None:
    await town.begin(blocks=2)
    paid = await town.pay("alice", "bob", "1")
    block = await town.next_block()
    await town.owner.execute(
        "UPDATE utxos SET amount = amount + 1 WHERE transaction_hash = $1 AND output_index = 0", paid
    )
    before = await everything(town.owner)
    with pytest.raises(MempoolMismatch):
        await town.ledger.chain.connect(block, wallet_of("alice"))
    assert await everything(town.owner) == before


async def test_a_larger_block_takes_no_more_statements(town: Town) -> None:
    async def statements(block: Block) -> int:
        with working(Work()) as work:
            await town.ledger.chain.connect(block, wallet_of("alice"))
        return work.statements

    await town.begin(blocks=4)
    await town.pay("alice", "bob", "1")
    small = await statements(await town.next_block())
    await asyncio.gather(*(town.pay("alice", "bob", "1") for _ in range(20)))
    block = await town.next_block()
    assert len(block.transactions) == 21
    assert await statements(block) == small == 13


async def test_blocks_are_mined_when_there_is_nothing_left_to_earn(town: Town) -> None:
    await town.begin()
    # The 36th halving leaves no subsidy: as if all those blocks had been mined, ten seconds apart.
    await town.owner.execute(
        "INSERT INTO blocks SELECT gen_random_uuid(), n, encode(sha256(n::text::bytea), 'hex'),"
        "   encode(sha256((n - 1)::text::bytea), 'hex'), 1, merkle_root, $1::timestamptz + n * interval '10 s', 3, 0,"
        "   miner_wallet_id, 0, 0, 1, 200, now() FROM blocks, generate_series(755979, 755999) AS n",
        town.clock.now() - timedelta(seconds=7_560_000),
    )
    await town.owner.execute(
        "UPDATE blockchain_info SET tip_height = 755999, total_blocks = 756000, tip_hash = block_hash"
        " FROM blocks WHERE height = 755999"
    )
    block = await town.mine(miner="bob")
    assert (block.height, block.miner_wallet_id, block.miner_reward) == (756_000, wallet_of("bob"), Decimal(0))
    assert await town.owner.fetchval("SELECT count(*) FROM utxos WHERE block_height = 756000") == 0


async def test_payments_and_blocks_at_once_do_not_disturb_each_other(town: Town) -> None:
    await town.begin(blocks=6)
    await town.pay("alice", "bob", "1000")
    await town.mine(3)

    async def blocks() -> None:
        for _ in range(5):
            block = await solved((await town.ledger.chain.template(wallet_of("alice"))).block)
            await town.ledger.chain.connect(block, wallet_of("alice"))

    async def payments(sender: str, recipient: str) -> list[str]:
        return [await town.pay(sender, recipient, "1") for _ in range(12)]

    results = await asyncio.gather(
        blocks(), payments("alice", "bob"), payments("bob", "alice"), payments("bob", "carol")
    )
    await town.mine()
    hashes = [paid for result in results if result is not None for paid in result]
    confirmed = await town.owner.fetch(
        "SELECT transaction_hash FROM transactions WHERE status = 'confirmed' AND sender_wallet_id IS NOT NULL"
    )
    assert {row[0] for row in confirmed} >= set(hashes)
    assert len(set(hashes)) == 36
    assert await town.balance_sums() == await town.balances()
    assert (await town.replay()).reason is None

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
from tests.databases import Owner
from tests.domains.ledger.rules.chain import block_of
from tests.domains.ledger.scene import NAMES, Scene

TABLES = ("blocks", "transactions", "utxos", "wallet_balances", "blockchain_info", "event_streams", "events")


@pytest_asyncio.fixture
async def scene(database: Database, owner: Owner, redis: Redis, clock: FixedClock) -> AsyncIterator[Scene]:
    yield await Scene.with_people(database, owner, redis, clock)


async def everything(owner: Owner) -> list[list[Any]]:
    return [await owner.fetch(f"SELECT t::text FROM {table} t ORDER BY 1") for table in TABLES]


async def news_of(owner: Owner, stream: str) -> list[tuple[str, dict[str, Any]]]:
    rows = await owner.fetch("SELECT kind, payload::text FROM events WHERE stream = $1 ORDER BY seq", stream)
    return [(kind, msgspec.json.decode(payload)) for kind, payload in rows]


@pytest.mark.usefixtures("warm")
async def test_a_chain_begins_once(scene: Scene) -> None:
    with pytest.raises(NoChain):
        await scene.services.chain.template(scene.wallet("alice"))
    assert await scene.services.chain.state() is None
    begun = await asyncio.gather(
        *(scene.services.chain.ensure_genesis(scene.wallet(name)) for name in NAMES for _ in "12")
    )
    assert sorted(begun) == [False] * 7 + [True]
    state = await scene.services.chain.state()
    assert state is not None
    assert (state.tip_height, state.total_blocks, state.total_transactions) == (0, 1, 1)
    assert (state.network, state.coinbase_maturity, state.current_difficulty) == (b"MNTA", 2, 3)
    assert (state.circulating_coins, state.burned_coins) == (Decimal(500), Decimal(0))
    assert (state.average_block_time, state.halving_height, state.current_halving_number) == (Decimal(0), 21_000, 0)
    assert await scene.owner.fetchval("SELECT extract(epoch FROM timestamp) FROM blocks") == GENESIS_TIMESTAMP_S


async def test_a_reward_can_be_spent_when_it_is_mature(scene: Scene) -> None:
    await scene.begin()
    seen = [(await scene.balances())["alice"]]
    for _ in range(4):
        await scene.mine()
        seen.append((await scene.balances())["alice"])
    # Maturity 2: the reward of block h is spendable in block h + 2, so from tip h + 1 on.
    assert seen == [0, 500, 1000, 1500, 2000]
    await scene.assert_books_balance()


async def test_a_block_confirms_what_waits(scene: Scene) -> None:
    await scene.begin(blocks=3, miner="alice")
    paid = await scene.pay("alice", "bob", "120.5", fee=Decimal("0.25"))
    assert (await scene.balances())["bob"] == 0
    before = await scene.balances()
    block = await scene.mine(miner="carol")
    rows = await scene.owner.fetch(
        "SELECT status, block_id, block_height, block_position FROM transactions WHERE transaction_hash = $1", paid
    )
    assert [tuple(row) for row in rows] == [("confirmed", block.id, 4, 1)]
    assert await scene.owner.fetchval(
        "SELECT array_agg(block_height) FROM utxos WHERE transaction_hash = $1", paid
    ) == [
        4,
        4,
    ]
    assert (block.miner_wallet_id, block.miner_reward, block.fees) == (
        scene.wallet("carol"),
        Decimal("500.25"),
        Decimal("0.25"),
    )
    # The reward of block 3, mined by alice, matures with this block; her change was in her balance all along.
    assert await scene.balances() == before | {"alice": before["alice"] + 500, "bob": Decimal("120.5")}
    await scene.assert_books_balance()
    state = await scene.services.chain.state()
    assert state is not None
    assert (state.tip_hash, state.total_transactions, state.circulating_coins) == (block.block_hash, 6, Decimal(2500))
    assert state.average_block_time == Decimal("10.00")


async def test_a_block_is_published_to_all_whom_it_concerns(scene: Scene) -> None:
    await scene.begin(blocks=3)
    paid = await scene.pay("alice", "bob", "1")
    block = await scene.mine(miner="carol")
    coinbase = await scene.owner.fetchval(
        "SELECT transaction_hash FROM transactions WHERE block_height = 4 AND block_position = 0"
    )
    confirmed = ("transaction.confirmed", {"hash": paid, "height": 4})
    changed = ("balance.changed", {"height": 4})
    assert (await news_of(scene.owner, f"wallet:{scene.wallet('alice')}"))[-2:] == [confirmed, changed]
    assert (await news_of(scene.owner, f"wallet:{scene.wallet('bob')}"))[-2:] == [confirmed, changed]
    # The miner's reward is immature: the balance is unchanged.
    assert await news_of(scene.owner, f"wallet:{scene.wallet('carol')}") == [
        ("transaction.confirmed", {"hash": coinbase, "height": 4}),
        changed,
    ]
    chain = await news_of(scene.owner, "chain")
    assert [kind for kind, _ in chain] == ["block.connected"] * 5
    assert chain[-1][1] == {"height": 4, "hash": block.block_hash}


async def test_parents_come_before_children_and_higher_fees_first(scene: Scene) -> None:
    await scene.begin(blocks=4)
    coin, other, *_ = (await scene.coins("alice")).items()
    parent = scene.payment("alice", [coin[0]], [("bob", COIN), ("alice", coin[1] - COIN - 1000)])
    await scene.submit("alice", parent)
    parent_hash = await scene.owner.fetchval("SELECT transaction_hash FROM transactions WHERE status = 'pending'")
    change = OutPoint(bytes.fromhex(parent_hash), 1)
    child_units = coin[1] - COIN - 1000 - COIN - 9000
    child = await scene.submit("alice", scene.payment("alice", [change], [("bob", COIN), ("alice", child_units)], 9000))
    dear = await scene.submit("alice", scene.payment("alice", [other[0]], [("bob", other[1] - 5000)], 5000))
    await scene.mine()
    rows = await scene.owner.fetch(
        "SELECT transaction_hash FROM transactions WHERE block_height = 5 ORDER BY block_position"
    )
    assert [row[0] for row in rows][1:] == [dear, parent_hash, child]


async def test_a_template_leaves_out_what_no_block_may_hold(scene: Scene) -> None:
    await scene.begin(blocks=4)
    first = await scene.pay("alice", "bob", "900")
    second = await scene.pay("alice", "carol", "300")
    await scene.owner.execute("UPDATE transactions SET signature = $2 WHERE transaction_hash = $1", first, bytes(256))
    await scene.mine()
    rows = await scene.owner.fetch(
        "SELECT transaction_hash, status FROM transactions WHERE sender_wallet_id IS NOT NULL"
    )
    assert {row[0]: row[1] for row in rows} == {first: "pending", second: "confirmed"}


async def test_the_second_block_on_the_same_tip_is_refused(scene: Scene) -> None:
    await scene.begin(blocks=1)
    one, other = await scene.next_block("alice"), await scene.next_block("bob")
    await scene.services.chain.connect(one, scene.wallet("alice"))
    before = await everything(scene.owner)
    with pytest.raises(ChainMoved):
        await scene.services.chain.connect(other, scene.wallet("bob"))
    assert await everything(scene.owner) == before


@pytest.mark.usefixtures("warm")
async def test_of_many_blocks_on_one_tip_one_wins(scene: Scene) -> None:
    await scene.begin(blocks=1)
    blocks = [(await scene.next_block(name), scene.wallet(name)) for name in NAMES for _ in range(4)]
    results = await asyncio.gather(*(scene.services.chain.connect(*entry) for entry in blocks), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Block"] + ["ChainMoved"] * 15
    assert (await scene.replay()).wrong_height is None


async def test_a_block_that_breaks_a_rule_changes_nothing(scene: Scene) -> None:
    await scene.begin(blocks=2)
    await scene.pay("alice", "bob", "1")
    honest = await scene.next_block()
    before = await everything(scene.owner)
    coinbase = honest.transactions[0].transaction
    greedy = msgspec.structs.replace(
        coinbase, outputs=(TransactionOutput(bytes.fromhex(scene.wallet("alice")), coinbase.output_units + 1),)
    )
    block = block_of(honest.header, [SignedTransaction(greedy, b""), *honest.transactions[1:]])
    with pytest.raises(RuleBroken) as refused:
        await scene.services.chain.connect(block, scene.wallet("alice"))
    assert refused.value.violation is Violation.WRONG_COINBASE_AMOUNT
    assert await everything(scene.owner) == before


async def test_a_block_holds_no_child_without_its_parent(scene: Scene) -> None:
    await scene.begin(blocks=2)
    (outpoint, units), *_ = (await scene.coins("alice")).items()
    parent = await scene.submit(
        "alice", scene.payment("alice", [outpoint], [("bob", COIN), ("alice", units - COIN - 1000)])
    )
    change = OutPoint(bytes.fromhex(parent), 1)
    await scene.submit("alice", scene.payment("alice", [change], [("bob", units - COIN - 3000)], 2000))
    block = await scene.next_block()
    coinbase, _, child = block.transactions
    reward = TransactionOutput(bytes.fromhex(scene.wallet("alice")), coinbase.transaction.output_units - 1000)
    poorer = msgspec.structs.replace(coinbase.transaction, outputs=(reward,))
    before = await everything(scene.owner)
    with pytest.raises(RuleBroken) as refused:
        await scene.services.chain.connect(
            block_of(block.header, [SignedTransaction(poorer, b""), child]), scene.wallet("alice")
        )
    assert refused.value.violation is Violation.OUTPUT_NOT_AVAILABLE
    assert await everything(scene.owner) == before


async def test_a_block_holds_only_what_waits_in_the_mempool(scene: Scene) -> None:
    await scene.begin(blocks=2)
    (outpoint, units), *_ = (await scene.coins("alice")).items()
    paid = await scene.submit("alice", scene.payment("alice", [outpoint], [("bob", units - 1000)]))
    block = await scene.next_block()
    await scene.owner.execute(
        "UPDATE transactions SET status = 'failed', failure_reason = 'test' WHERE transaction_hash = $1", paid
    )
    before = await everything(scene.owner)
    with pytest.raises(NotInMempool):
        await scene.services.chain.connect(block, scene.wallet("alice"))
    await scene.owner.execute(
        "UPDATE utxos SET spent_in_tx_hash = NULL, spent_input_index = NULL WHERE spent_in_tx_hash = $1", paid
    )
    with pytest.raises(RuleBroken) as refused:
        await scene.services.chain.connect(block, scene.wallet("alice"))
    assert refused.value.violation is Violation.OUTPUT_NOT_AVAILABLE
    assert (await everything(scene.owner))[0] == before[0]


async def test_a_row_that_says_other_than_the_signed_bytes_stops_the_block(scene: Scene) -> None:
    await scene.begin(blocks=2)
    paid = await scene.pay("alice", "bob", "1")
    block = await scene.next_block()
    await scene.owner.execute(
        "UPDATE utxos SET amount = amount + 1 WHERE transaction_hash = $1 AND output_index = 0", paid
    )
    before = await everything(scene.owner)
    with pytest.raises(MempoolMismatch):
        await scene.services.chain.connect(block, scene.wallet("alice"))
    assert await everything(scene.owner) == before


async def test_a_wallet_without_a_balance_stops_the_block(scene: Scene) -> None:
    await scene.begin(blocks=2)
    await scene.pay("alice", "bob", "1")
    block = await scene.next_block()
    await scene.owner.execute("DELETE FROM wallet_balances WHERE wallet_id = $1", scene.wallet("bob"))
    before = await everything(scene.owner)
    with pytest.raises(MempoolMismatch, match="1 of 2 balances"):
        await scene.services.chain.connect(block, scene.wallet("alice"))
    assert await everything(scene.owner) == before


@pytest.mark.usefixtures("warm")
async def test_a_larger_block_takes_no_more_statements(scene: Scene) -> None:
    async def statements(block: Block) -> int:
        with working(Work()) as work:
            await scene.services.chain.connect(block, scene.wallet("alice"))
        return work.statements

    await scene.begin(blocks=4)
    await scene.pay("alice", "bob", "1")
    small = await statements(await scene.next_block())
    await asyncio.gather(*(scene.pay("alice", "bob", "1") for _ in range(20)))
    block = await scene.next_block()
    assert len(block.transactions) == 21
    assert await statements(block) == small == 13


async def test_blocks_are_mined_when_there_is_nothing_left_to_earn(scene: Scene) -> None:
    await scene.begin()
    # The 36th halving leaves no subsidy: as if all those blocks had been mined, ten seconds apart.
    await scene.owner.execute(
        "INSERT INTO blocks SELECT gen_random_uuid(), n, encode(sha256(n::text::bytea), 'hex'),"
        "   encode(sha256((n - 1)::text::bytea), 'hex'), 1, merkle_root, $1::timestamptz + n * interval '10 s', 3, 0,"
        "   miner_wallet_id, 0, 0, 1, 200, now() FROM blocks, generate_series(755979, 755999) AS n",
        scene.clock.now() - timedelta(seconds=7_560_000),
    )
    await scene.owner.execute(
        "UPDATE blockchain_info SET tip_height = 755999, total_blocks = 756000, tip_hash = block_hash"
        " FROM blocks WHERE height = 755999"
    )
    block = await scene.mine(miner="bob")
    assert (block.height, block.miner_wallet_id, block.miner_reward) == (756_000, scene.wallet("bob"), Decimal(0))
    assert await scene.owner.fetchval("SELECT count(*) FROM utxos WHERE block_height = 756000") == 0


@pytest.mark.usefixtures("warm")
async def test_payments_and_blocks_at_once_do_not_disturb_each_other(scene: Scene) -> None:
    await scene.begin(blocks=6)
    await scene.pay("alice", "bob", "1000")
    await scene.mine("alice", 3)

    async def blocks() -> None:
        for _ in range(5):
            block = await solved((await scene.services.chain.template(scene.wallet("alice"))).block)
            await scene.services.chain.connect(block, scene.wallet("alice"))

    async def payments(sender: str, recipient: str) -> list[str]:
        return [await scene.pay(sender, recipient, "1") for _ in range(12)]

    results = await asyncio.gather(
        blocks(), payments("alice", "bob"), payments("bob", "alice"), payments("bob", "carol")
    )
    await scene.mine()
    hashes = [paid for result in results if result is not None for paid in result]
    confirmed = await scene.owner.fetch(
        "SELECT transaction_hash FROM transactions WHERE status = 'confirmed' AND sender_wallet_id IS NOT NULL"
    )
    assert {row[0] for row in confirmed} >= set(hashes)
    assert len(set(hashes)) == 36
    await scene.assert_books_balance()
    assert (await scene.replay()).reason is None

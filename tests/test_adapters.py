"""What the market reads of the ledger's chain."""

from datetime import timedelta
from decimal import Decimal

import pytest
from redis.asyncio import Redis

from app.adapters import LedgerChain
from app.domains.ledger.statements import StatisticsSql
from app.kit.clock import FixedClock
from app.kit.db import Database
from tests.databases import NOON, Owner
from tests.domains.ledger.scene import MIN_FEE, Scene
from tests.domains.ledger.test_plans import FILL, scans


@pytest.fixture
def scene(database: Database, owner: Owner, redis: Redis, clock: FixedClock) -> Scene:
    return Scene.over(database, owner, redis, clock)


@pytest.fixture
def chain(scene: Scene) -> LedgerChain:
    return LedgerChain(lambda: scene.services.statistics, "BTC")


async def test_a_chain_that_has_not_begun_has_no_activity(chain: LedgerChain) -> None:
    assert await chain.activity(NOON, Decimal(100)) is None
    assert await chain.position() == 0
    assert await chain.transactions_after(0, 10) == []


async def test_payments_come_in_the_order_of_confirmation_and_rewards_do_not(scene: Scene, chain: LedgerChain) -> None:
    alice, bob, miner = await scene.person(), await scene.person(), await scene.person()
    await scene.mine(alice, 2)
    first = await scene.pay(alice, bob, "120")
    await scene.mine(miner)
    second = await scene.pay(alice, bob, "1")
    third = await scene.pay(bob, alice, "2")
    assert [each.transaction_hash for each in await chain.transactions_after(0, 10)] == [first]
    seen = await chain.position()
    await scene.mine(miner)
    after = await chain.transactions_after(seen, 10)
    assert [each.transaction_hash for each in after] == [second, third]
    assert [each.position for each in after] == sorted({each.position for each in after})
    assert await chain.transactions_after(after[0].position, 10) == after[1:]
    assert await chain.transactions_after(seen, 1) == after[:1]
    assert await chain.position() == after[-1].position
    assert await chain.transactions_after(await chain.position(), 10) == []
    assert (after[0].sender_wallet_id, after[0].recipient_wallet_id, after[0].amount, after[0].block_height) == (
        alice.wallet_id,
        bob.wallet_id,
        Decimal(1),
        3,
    )
    assert after[0].confirmed_at == scene.clock.now()


async def test_a_span_is_summed_over_its_blocks_alone(scene: Scene, chain: LedgerChain) -> None:
    alice, bob, miner = await scene.person(), await scene.person(), await scene.person()
    await scene.mine(alice, 2)
    await scene.pay(alice, bob, "300")
    await scene.mine(miner)
    scene.clock.advance(timedelta(hours=1))
    since = scene.clock.now()
    small = await scene.pay(alice, bob, "1.5")
    large = await scene.pay(bob, alice, "100")
    await scene.mine(miner, 2)
    activity = await chain.activity(since, Decimal(100))
    assert activity is not None
    assert (activity.tip_height, activity.blocks, activity.transactions) == (4, 2, 2)
    assert (activity.volume, activity.fees) == (Decimal("101.5"), 2 * MIN_FEE)
    assert (activity.active_wallets, activity.large_transfers) == (2, 1)
    assert [each.transaction_hash for each in activity.largest_transfers] == [large, small]
    assert (activity.circulating, activity.total) == (Decimal(2500), Decimal(21_000_000))
    assert activity.hashes_per_s == pytest.approx(2**activity.difficulty_bits / activity.average_block_time_s)
    assert activity.tip_at == scene.clock.now()
    quiet = await chain.activity(scene.clock.now() + timedelta(seconds=1), Decimal(100))
    assert quiet is not None
    assert (quiet.blocks, quiet.transactions, quiet.active_wallets, quiet.volume) == (0, 0, 0, Decimal(0))
    assert quiet.largest_transfers == []


async def test_no_statement_of_the_adapter_scans_a_table(owner: Owner) -> None:
    await owner.execute(FILL)
    since = await owner.fetchval("SELECT timestamp FROM blocks WHERE height = 980")
    for query, arguments in (
        (StatisticsSql.activity_since, (since,)),
        (StatisticsSql.payments_from_height, (980, Decimal(100))),
        (StatisticsSql.largest_payments_from_height, (980, 10)),
        (StatisticsSql.payments_after, (980, 3, 100)),
        (StatisticsSql.last_position, ()),
    ):
        assert await scans(owner, query, *arguments) == set(), query.name

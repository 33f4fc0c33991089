"""The demo chain is what a newcomer sees first: it must be sound, lively, and end where live mining goes on."""

from datetime import timedelta
from decimal import Decimal

from redis.asyncio import Redis

from app.dev.demo_chain import load_demo_chain
from app.kit.clock import FixedClock
from app.kit.db import Database
from tests.databases import Owner
from tests.domains.ledger.scene import Scene


async def test_the_demo_chain(database: Database, owner: Owner, redis: Redis, clock: FixedClock) -> None:
    scene = await Scene.with_people(database, owner, redis, clock)
    now = clock.now()
    people = [scene.people[name].viewer for name in ("alice", "bob", "dave")]
    steps: list[tuple[int, int]] = []
    assert await load_demo_chain(
        scene.services, database, clock, people, lambda done, total: steps.append((done, total))
    )

    assert clock.now() == now
    assert steps == [(done, 200) for done in range(2, 201)]
    state = await scene.services.chain.state()
    assert state is not None
    assert (state.tip_height, state.current_difficulty, state.circulating_coins) == (199, 14, Decimal(100_000))
    assert Decimal(8) < state.average_block_time < Decimal(12)
    assert state.total_transactions == 200 + await owner.fetchval("SELECT count(*) FROM transactions WHERE fee > 0")
    assert 300 <= state.total_transactions - 200 <= 400
    bits = await owner.fetch("SELECT DISTINCT height / 20 AS era, difficulty FROM blocks ORDER BY era")
    assert [row["difficulty"] for row in bits] == [3, 4, 5, 6, 7, 8, 10, 12, 14, 14]
    times = [row[0] for row in await owner.fetch("SELECT timestamp FROM blocks WHERE height > 0 ORDER BY height")]
    assert times[-1] == now
    assert timedelta(minutes=10) < now - times[0] < timedelta(minutes=30)
    payers = await owner.fetch("SELECT DISTINCT sender_wallet_id FROM transactions WHERE fee > 0")
    assert {row[0] for row in payers} == {scene.wallet(name) for name in ("alice", "bob", "dave")}
    assert await owner.fetchval("SELECT count(DISTINCT memo) FROM transactions") == 12
    assert (await scene.replay()).reason is None

    # A second time it leaves everything alone.
    assert not await load_demo_chain(scene.services, database, clock, people, lambda done, total: steps.append((0, 0)))
    assert len(steps) == 199
    assert await scene.services.chain.state() == state

"""Miners: they race without forking, use new payments and tips, and stop when cancelled."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from app.domains.ledger.services import miner as miner_module
from app.domains.ledger.services.chain import Chain
from app.domains.ledger.services.miner import Miner
from app.domains.ledger.services.templates import BlockTemplate
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.volatile import VolatileTopics
from tests.databases import Owner
from tests.domains.ledger.scene import Scene
from tests.waiting import HANG_S

FAST_HASHES_PER_S = 50_000


@dataclass(frozen=True)
class WatchedChain(Chain):
    """Keeps each template for the test to wait for."""

    templates: "asyncio.Queue[BlockTemplate]" = field(default_factory=asyncio.Queue)

    async def template(self, miner_wallet_id: str) -> BlockTemplate:
        template = await super().template(miner_wallet_id)
        self.templates.put_nowait(template)
        return template


@pytest_asyncio.fixture
async def scene(database: Database, owner: Owner, redis: Redis, clock: FixedClock) -> AsyncIterator[Scene]:
    scene = await Scene.with_people(database, owner, redis, clock)
    await scene.begin(blocks=3)
    yield scene


@pytest.fixture
def volatile(redis: Redis) -> VolatileTopics:
    return VolatileTopics(redis)


async def test_two_miners_make_one_chain(scene: Scene, volatile: VolatileTopics) -> None:
    miners = [Miner(scene.services.chain, scene.wallet(name), FAST_HASHES_PER_S, volatile) for name in ("alice", "bob")]
    running = [asyncio.create_task(miner.run()) for miner in miners]
    try:
        while await scene.owner.fetchval("SELECT tip_height FROM blockchain_info") < 15:
            scene.clock.advance(timedelta(seconds=1))
            await asyncio.sleep(0)
    finally:
        for task in running:
            task.cancel()
        ends = await asyncio.gather(*running, return_exceptions=True)
    assert [type(end) for end in ends] == [asyncio.CancelledError, asyncio.CancelledError]
    rows = await scene.owner.fetch("SELECT height, previous_hash, block_hash FROM blocks ORDER BY height")
    assert [row["height"] for row in rows] == list(range(len(rows)))
    assert [row["previous_hash"] for row in rows[1:]] == [row["block_hash"] for row in rows[:-1]]
    assert (await scene.replay()).reason is None


class Deaf(Chain):
    """Swallows a cancellation, as a library may while it is busy with a connection."""

    async def template(self, miner_wallet_id: str) -> BlockTemplate:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return await super().template(miner_wallet_id)


async def test_a_miner_ends_though_its_cancellation_was_swallowed(scene: Scene, volatile: VolatileTopics) -> None:
    real = scene.services.chain
    deaf = Deaf(real.database, real.clock, real.events, real.coinbase_maturity, real.network)
    mining = asyncio.create_task(Miner(deaf, scene.wallet("alice"), 1, volatile).run())
    await asyncio.sleep(0)
    mining.cancel()
    await asyncio.wait([mining])
    assert mining.cancelled()


async def test_a_miner_puts_what_waits_into_its_block(scene: Scene, volatile: VolatileTopics) -> None:
    paid = await scene.pay("alice", "bob", "1")
    block = await Miner(scene.services.chain, scene.wallet("carol"), FAST_HASHES_PER_S, volatile).mine_block()
    assert (block.height, block.transaction_count, block.miner_wallet_id) == (4, 2, scene.wallet("carol"))
    assert await scene.owner.fetchval("SELECT block_height FROM transactions WHERE transaction_hash = $1", paid) == 4


async def test_a_search_takes_up_new_payments_and_a_new_tip(
    scene: Scene, volatile: VolatileTopics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(miner_module, "TIP_CHECK_S", 0.0)
    monkeypatch.setattr(miner_module, "REBUILD_S", 0.0)
    monkeypatch.setattr(miner_module, "TIMESTAMP_S", 3600.0)
    other = await scene.next_block("bob")
    # A difficulty that cannot be met: the search goes on until it is cancelled.
    await scene.owner.execute("UPDATE blockchain_info SET current_difficulty = 200")
    chain = WatchedChain(scene.database, scene.clock, scene.services.chain.events)
    templates = chain.templates
    searching = asyncio.create_task(Miner(chain, scene.wallet("alice"), FAST_HASHES_PER_S, volatile).run())
    try:
        assert len((await templates.get()).block.transactions) == 1
        paid = await scene.pay("alice", "bob", "1")
        grown = await templates.get()
        assert [grown.block.header.height, len(grown.block.transactions)] == [4, 2]
        await scene.owner.execute("UPDATE blockchain_info SET current_difficulty = 3")
        await scene.services.chain.connect(other, scene.wallet("bob"))
        moved = await templates.get()
        assert [moved.block.header.height, len(moved.block.transactions)] == [5, 2]
        assert moved.basis.tip_hash != grown.basis.tip_hash
    finally:
        searching.cancel()
        await asyncio.gather(searching, return_exceptions=True)
    assert await scene.owner.fetchval("SELECT count(*) FROM transactions WHERE transaction_hash = $1", paid) == 1


async def test_a_search_without_news_keeps_its_template(
    scene: Scene, volatile: VolatileTopics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(miner_module, "TIP_CHECK_S", 0.0)
    await scene.owner.execute("UPDATE blockchain_info SET current_difficulty = 200")
    chain = WatchedChain(scene.database, scene.clock, scene.services.chain.events)
    templates = chain.templates
    looks = 0
    enough = asyncio.Event()
    look = Chain.template_basis

    async def counted(self: Chain) -> object:
        nonlocal looks
        looks += 1
        if looks == 3:
            enough.set()
        return await look(self)

    monkeypatch.setattr(Chain, "template_basis", counted)
    searching = asyncio.create_task(Miner(chain, scene.wallet("alice"), FAST_HASHES_PER_S, volatile).run())
    try:
        await enough.wait()
    finally:
        searching.cancel()
        await asyncio.gather(searching, return_exceptions=True)
    assert templates.qsize() == 1


async def test_a_miner_stops_at_once(scene: Scene, volatile: VolatileTopics, monkeypatch: pytest.MonkeyPatch) -> None:
    # A miner that slept through its slice would take that long.
    monkeypatch.setattr(miner_module, "SLICE_S", 2 * HANG_S)
    await scene.owner.execute("UPDATE blockchain_info SET current_difficulty = 200")
    chain = WatchedChain(scene.database, scene.clock, scene.services.chain.events)
    templates = chain.templates
    searching = asyncio.create_task(Miner(chain, scene.wallet("alice"), 1, volatile).run())
    await templates.get()
    searching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await searching


async def test_a_block_is_never_older_than_the_rules_allow(scene: Scene) -> None:
    # A clock that was set back: the median of the last blocks is ahead of it.
    scene.clock.advance(timedelta(minutes=-30))
    template = await scene.services.chain.template(scene.wallet("alice"))
    times = [
        row[0] for row in await scene.owner.fetch("SELECT extract(epoch FROM timestamp)::int FROM blocks ORDER BY 1")
    ]
    assert template.block.header.timestamp_s == times[2] + 1
    assert (await scene.services.chain.connect(await scene.next_block(), scene.wallet("alice"))).height == 4

"""Blocks are dated by the database's clock, not the miner's, and a chain dated ahead goes on at once."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from app.domains.ledger.model import Block as StoredBlock
from app.domains.ledger.rules.block import MAX_FUTURE_SECONDS, MAX_PAST_SECONDS, Block, check_header
from app.domains.ledger.rules.header import BlockHeader, block_hash, mine
from app.domains.ledger.rules.progress import Progress
from app.domains.ledger.rules.violations import RuleBroken, Violation
from app.domains.ledger.services.chain import solved
from app.domains.ledger.services.templates import block_on, block_time
from app.kit.clock import FixedClock
from app.kit.db import Database
from tests.databases import PRESENT, Owner
from tests.domains.ledger.scene import Scene

WRONG = timedelta(hours=3)
WRONG_BLOCKS = 14
EASY_BITS = 1


@pytest_asyncio.fixture
async def scene(database: Database, owner: Owner, redis: Redis, honest_database: None) -> AsyncIterator[Scene]:
    """A chain of today, and a process clock that tests set wrong."""
    scene = await Scene.with_people(database, owner, redis, FixedClock(datetime.now(UTC) - timedelta(minutes=10)))
    await scene.begin(blocks=12)
    scene.clock.advance(datetime.now(UTC) - scene.clock.now())
    yield scene


async def set_database_clock(scene: Scene, ahead: timedelta) -> None:
    """Sets the clock that blocks are checked against ahead, as a miner's own was before the database's was used."""
    await scene.owner.execute(PRESENT.format(f"clock_timestamp() + interval '{ahead.total_seconds()} s'"))


async def chain_dated_ahead(scene: Scene) -> None:
    """The blocks of a worker whose clock was ahead for 140 seconds, while only that clock was checked."""
    await set_database_clock(scene, 2 * WRONG)
    scene.clock.advance(WRONG)
    await scene.mine("alice", WRONG_BLOCKS)
    await scene.owner.execute("UPDATE blocks SET created_at = now() WHERE created_at > now()")
    await set_database_clock(scene, timedelta(0))
    scene.clock.advance(datetime.now(UTC) - scene.clock.now())


async def test_a_template_of_a_clock_ahead_has_the_databases_time(scene: Scene) -> None:
    scene.clock.advance(WRONG)
    block = await scene.next_block()
    stored = await scene.services.chain.connect(block, scene.wallet("alice"))
    assert stored.timestamp <= datetime.now(UTC)
    assert stored.timestamp > datetime.now(UTC) - timedelta(hours=1)
    assert (await scene.replay()).reason is None


@pytest.mark.parametrize("ahead_s", [MAX_FUTURE_SECONDS + 30, int(WRONG.total_seconds())])
async def test_a_block_ahead_of_the_database_is_refused_whatever_the_process_says(scene: Scene, ahead_s: int) -> None:
    scene.clock.advance(timedelta(seconds=ahead_s))
    with pytest.raises(RuleBroken) as refused:
        await scene.services.chain.connect(await dated(scene, scene.clock.now()), scene.wallet("alice"))
    assert refused.value.violation is Violation.TIME_TOO_NEW
    assert await scene.owner.fetchval("SELECT max(height) FROM blocks") == 12


async def dated(scene: Scene, at: datetime) -> Block:
    """A block for the tip that states this moment."""
    header = (await scene.services.chain.template(scene.wallet("alice"))).block.header
    progress = Progress(
        height=header.height - 1, hash=header.previous_hash, difficulty_bits=header.difficulty_bits, timestamps_s=()
    )
    return await solved(
        block_on(progress, scene.services.chain.network, (), bytes.fromhex(scene.wallet("alice")), int(at.timestamp()))
    )


async def connected_in_the_end(scene: Scene) -> StoredBlock:
    """As the miner does it: a block is refused that the present overtakes after its time was chosen, and made anew.

    That happens where blocks come faster than one a second, so that their median is a second ahead.
    """
    while True:
        try:
            return await scene.services.chain.connect(await scene.next_block(), scene.wallet("alice"))
        except RuleBroken as refused:
            if refused.violation is not Violation.TIME_TOO_OLD:
                raise


async def test_a_chain_dated_ahead_goes_on_at_once_and_is_sound(scene: Scene) -> None:
    await chain_dated_ahead(scene)
    newest = await scene.owner.fetchval("SELECT max(timestamp) FROM blocks")
    assert newest > datetime.now(UTC) + timedelta(hours=2)
    for _ in range(30):
        stored = await connected_in_the_end(scene)
        # Faster than a block a second, the median and a second.
        assert stored.timestamp <= datetime.now(UTC) + timedelta(seconds=1)
    assert stored.height == 12 + WRONG_BLOCKS + 30
    report = await scene.replay()
    assert (report.reason, report.ahead) == (None, WRONG_BLOCKS)


async def test_a_clock_behind_dates_a_block_as_early_as_the_chain_allows(scene: Scene) -> None:
    scene.clock.advance(-WRONG)
    stored = await scene.services.chain.connect(await scene.next_block(), scene.wallet("alice"))
    assert stored.timestamp > datetime.now(UTC) - timedelta(hours=1)
    assert (await scene.replay()).reason is None


async def test_the_replay_still_finds_a_block_before_the_median(scene: Scene) -> None:
    await scene.owner.execute("UPDATE blocks SET created_at = created_at - interval '1 hour' WHERE height = 12")
    assert (await scene.replay()).reason is None, "a median to come binds nobody"
    scene.clock.advance(timedelta(seconds=10))
    await scene.mine("alice", 1)
    before = await scene.owner.fetchval("SELECT timestamp FROM blocks WHERE height = 3")
    block = await dated(scene, before)
    with pytest.raises(RuleBroken) as refused:
        await scene.services.chain.connect(block, scene.wallet("alice"))
    assert refused.value.violation is Violation.TIME_TOO_OLD


def progress_after(timestamps_s: list[int]) -> Progress:
    return Progress(height=99, hash=bytes(32), difficulty_bits=EASY_BITS, timestamps_s=tuple(timestamps_s))


def header(progress: Progress, timestamp_s: int) -> BlockHeader:
    return BlockHeader(
        previous_hash=progress.hash,
        merkle_root=bytes(32),
        height=progress.height + 1,
        timestamp_s=timestamp_s,
        difficulty_bits=progress.difficulty_bits,
        nonce=0,
    )


def verdict(progress: Progress, timestamp_s: int, now_s: int) -> Violation | None:
    """Checks a header's time without its work."""
    proposed = header(progress, timestamp_s)
    nonce = mine(proposed, 0, 1000)
    assert nonce is not None
    try:
        check_header(msgspec.structs.replace(proposed, nonce=nonce), progress.tip, now_s)
    except RuleBroken as broken:
        return broken.violation
    return None


NOW_S = 1_800_000_000


def test_the_median_binds_until_it_is_to_come() -> None:
    past = progress_after([NOW_S - 100 + second for second in range(11)])
    median_s = NOW_S - 95
    assert verdict(past, median_s, NOW_S) is Violation.TIME_TOO_OLD
    assert verdict(past, median_s + 1, NOW_S) is None
    assert verdict(past, median_s, median_s) is Violation.TIME_TOO_OLD, "a median of just now binds"
    # For a clock before that median, it no longer binds; but a much older block is refused too.
    earlier_s = median_s - 1
    assert verdict(past, earlier_s - MAX_PAST_SECONDS, earlier_s) is Violation.TIME_TOO_OLD
    assert verdict(past, earlier_s - MAX_PAST_SECONDS + 1, earlier_s) is None
    assert verdict(past, earlier_s + MAX_FUTURE_SECONDS, earlier_s) is None
    assert verdict(past, earlier_s + MAX_FUTURE_SECONDS + 1, earlier_s) is Violation.TIME_TOO_NEW


@pytest.mark.parametrize("wrong_s", [3 * 3600, -3 * 3600])
def test_a_wrong_clock_does_not_run_away_with_the_difficulty(wrong_s: int) -> None:
    """Blocks take ten seconds at the difficulty of before, twice that with a bit more, and so on."""
    usual_bits, now_s = 15, NOW_S
    progress = Progress(
        height=100,
        hash=bytes(32),
        difficulty_bits=usual_bits,
        timestamps_s=tuple(now_s - 10 * i for i in range(21, 0, -1)),
    )
    for number in range(200):
        now_s += max(1, round(10 * 2.0 ** (progress.difficulty_bits - usual_bits)))
        is_wrong = number < WRONG_BLOCKS
        machine_s = now_s + wrong_s if is_wrong else now_s
        # A clock ahead was used before the database's was.
        stated_s = max(machine_s, block_time(progress, machine_s, now_s))
        stated = header(progress, stated_s)
        progress = progress.after(stated, block_hash(stated))
        assert abs(progress.difficulty_bits - usual_bits) <= 2
    assert progress.difficulty_bits == usual_bits
    assert now_s - max(progress.timestamps_s) == 0

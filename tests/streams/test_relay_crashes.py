"""Workers die: another one, or the same one again, moves on what waits; meanwhile Postgres is asked."""

import random
from typing import Any

from app.domains.ledger.streams import CHAIN_STREAM
from app.kit.events import stream_key
from tests.conftest import Owner
from tests.streams.crowd import crowd
from tests.streams.plant import Plant
from tests.waiting import now, seen, until

KILLS = 5
STANDING_BY = """
SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'moneta' AND query LIKE '%pg_try_advisory_lock%'
"""


async def test_a_worker_that_is_killed_five_times_loses_nothing(plant: Plant) -> None:
    chance = random.Random(3)
    async with crowd(plant) as here:
        begun = now()
        for number in range(KILLS):
            await here.published(chance.randint(5, 40))
            plant.worker.kill()
            if number % 2:
                # The next one meets it while it starts, at whatever it does then.
                plant.worker = plant.spawn("work")
            else:
                await plant.start_worker()
        await here.published(30)
        await here.caught_up()
        here.unhurt()
    here.report(f"Worker killed {KILLS} times, alone", begun)


async def test_a_standby_takes_over(plant: Plant) -> None:
    standby = plant.spawn("work")
    try:
        async with plant.owner() as owner:
            await until(lambda: _asks_for_the_lock(owner))
        assert "relay.active" not in standby.log.written()
        async with crowd(plant) as here:
            await here.published(30)
            killed = now()
            plant.worker.kill()
            await standby.says("relay.active")
            plant.worker = standby
            seen("Active of two workers killed: until the other is active", now() - killed)
            # Redis has it all again, and not only Postgres.
            key = stream_key(here.epoch, CHAIN_STREAM)
            seq = here.publisher.log[-1].seq
            await until(lambda: _holds(plant, key, seq))
            await here.published(60)
            await here.caught_up()
            here.unhurt()
        here.report("Active of two workers killed", killed)
    finally:
        if plant.worker is not standby:
            standby.kill()


async def _asks_for_the_lock(owner: Owner) -> bool:
    return bool(await owner.fetchval(STANDING_BY))


async def _holds(plant: Plant, key: str, seq: int) -> bool:
    newest: Any = await plant.application.redis.xrevrange(key, count=1)
    return bool(newest) and int(newest[0][0].partition(b"-")[0]) >= seq

"""Workers die: another one, or the same one again, moves on what waits; meanwhile Postgres is asked."""

import random
from typing import Any

from app.domains.ledger.streams import CHAIN_STREAM
from app.kit.events import stream_key
from tests.databases import Owner
from tests.streams.crowd import crowd
from tests.streams.deployment import Deployment
from tests.waiting import now, seen, until

KILLS = 5
STANDING_BY = """
SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'moneta' AND query LIKE '%pg_try_advisory_lock%'
"""


async def test_a_worker_that_is_killed_five_times_loses_nothing(deployment: Deployment) -> None:
    chance = random.Random(3)
    async with crowd(deployment) as here:
        begun = now()
        for number in range(KILLS):
            await here.published(chance.randint(5, 40))
            deployment.worker.kill()
            if number % 2:
                # The next one meets it while it starts, at whatever it does then.
                deployment.worker = deployment.spawn("work")
            else:
                await deployment.start_worker()
        await here.published(30)
        await here.caught_up()
        here.unhurt()
    here.report(f"Worker killed {KILLS} times, alone", begun)


async def test_a_standby_takes_over(deployment: Deployment) -> None:
    standby = deployment.spawn("work")
    try:
        async with deployment.owner() as owner:
            await until(lambda: _asks_for_the_lock(owner))
        assert "relay.active" not in standby.log.written()
        async with crowd(deployment) as here:
            await here.published(30)
            killed = now()
            deployment.worker.kill()
            await standby.says("relay.active")
            deployment.worker = standby
            seen("Active of two workers killed: until the other is active", now() - killed)
            # Redis has it all again, and not only Postgres.
            key = stream_key(here.epoch, CHAIN_STREAM)
            seq = here.publisher.log[-1].seq
            await until(lambda: _holds(deployment, key, seq))
            await here.published(60)
            await here.caught_up()
            here.unhurt()
        here.report("Active of two workers killed", killed)
    finally:
        if deployment.worker is not standby:
            standby.kill()


async def _asks_for_the_lock(owner: Owner) -> bool:
    return bool(await owner.fetchval(STANDING_BY))


async def _holds(deployment: Deployment, key: str, seq: int) -> bool:
    newest: Any = await deployment.application.redis.xrevrange(key, count=1)
    return bool(newest) and int(newest[0][0].partition(b"-")[0]) >= seq

"""Valkey dies, is emptied, hangs, and cuts its subscribers: events come all the same, and no socket notices."""

import pytest

from app.kit.redis_client import open_redis
from tests.streams.crowd import crowd
from tests.streams.deployment import Deployment
from tests.waiting import elapse, now

LATE = 5
CUTS = 10
CUT_EVERY_S = 0.3
PAUSE_S = 1.0


@pytest.mark.parametrize(("outage_s", "comes_back_empty"), [(2.0, False), (15.0, True)])
async def test_without_valkey_events_come_through_postgres(
    deployment: Deployment, outage_s: float, comes_back_empty: bool
) -> None:
    async with crowd(deployment) as here:
        await here.published(60)
        deployment.servers.valkey.kill()
        died = now()
        try:
            await elapse(outage_s / 2)
            here.join(LATE)
            await elapse(outage_s / 2)
            await here.published(30)
            # While it is down: also those who came without Valkey are served.
            await here.caught_up()
        finally:
            if comes_back_empty:
                deployment.servers.valkey.forget()
            await deployment.servers.valkey.restart()
        back = now()
        await here.published(120)
        await here.caught_up()
        here.unhurt()
    here.report(f"Valkey killed for {outage_s:.0f} s and more", died, back)
    here.report(f"Valkey killed for {outage_s:.0f} s and more, afterwards", back + 1.0)


async def test_cut_subscriptions_lost_data_and_a_pause_lose_nothing(deployment: Deployment) -> None:
    redis = await open_redis(deployment.servers.redis_url)
    try:
        async with crowd(deployment) as here:
            killed = 0
            for number in range(CUTS):
                killed += int(await redis.client_kill_filter(_type="pubsub"))
                if number % 4 == 3:
                    await redis.flushall()
                await elapse(CUT_EVERY_S)
            await here.published(30)
            paused = now()
            await redis.client_pause(int(PAUSE_S * 1000))
            await here.published(int(PAUSE_S * 60))
            await here.caught_up()
            here.unhurt()
        assert killed >= CUTS
        here.report("CLIENT KILL every 0.3 s, FLUSHALL, CLIENT PAUSE 1 s")
        here.report("CLIENT PAUSE 1 s", paused, paused + PAUSE_S)
    finally:
        await redis.aclose()

"""Valkey dies, is emptied, hangs, and cuts its subscribers: events come all the same, and no socket notices."""

import asyncio

import pytest

from app.kit.cache import open_redis
from tests.streams.crowd import crowd, now
from tests.streams.plant import Plant

WITHOUT_VALKEY_S = 5.0
"""The hubs compare with Postgres every 2 s; the rest is for a machine that has other work."""
LATE = 5
CUTS = 10
CUT_EVERY_S = 0.3
PAUSE_S = 1.0


@pytest.mark.parametrize(("outage_s", "comes_back_empty"), [(2.0, False), (15.0, True)])
async def test_without_valkey_events_come_through_postgres(
    plant: Plant, outage_s: float, comes_back_empty: bool
) -> None:
    async with crowd(plant) as here:
        await here.published(60)
        plant.servers.valkey.kill()
        died = now()
        try:
            await asyncio.sleep(outage_s / 2)
            here.join(LATE)
            await asyncio.sleep(outage_s / 2)
            assert all(reader.events for reader in here.readers), "those who came without Valkey were served as well"
        finally:
            if comes_back_empty:
                plant.servers.valkey.forget()
            await plant.servers.valkey.come_back()
        back = now()
        await here.published(120)
        await here.caught_up()
        here.unhurt()
    assert here.report(f"Valkey killed, down {outage_s:.0f} s", died, back) < WITHOUT_VALKEY_S
    assert here.report("  afterwards", back + 1.0) < WITHOUT_VALKEY_S


async def test_cut_subscriptions_lost_data_and_a_pause_lose_nothing(plant: Plant) -> None:
    redis = await open_redis(plant.servers.redis_url)
    try:
        async with crowd(plant) as here:
            killed = 0
            for number in range(CUTS):
                killed += int(await redis.client_kill_filter(_type="pubsub"))
                if number % 4 == 3:
                    await redis.flushall()
                await asyncio.sleep(CUT_EVERY_S)
            await here.published(30)
            paused = now()
            await redis.client_pause(int(PAUSE_S * 1000))
            await here.published(int(PAUSE_S * 60))
            await here.caught_up()
            here.unhurt()
        assert killed >= CUTS
        assert here.report("CLIENT KILL every 0.3 s, FLUSHALL, CLIENT PAUSE 1 s") < WITHOUT_VALKEY_S
        here.report("  the pause", paused, paused + PAUSE_S)
    finally:
        await redis.aclose()

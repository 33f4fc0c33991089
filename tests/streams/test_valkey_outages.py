"""Valkey dies, is emptied, hangs, and cuts its subscribers: events come all the same, and no socket notices."""

import asyncio

import pytest

from app.kit.redis_client import open_redis
from tests.streams.crowd import crowd
from tests.streams.deployment import Deployment
from tests.streams.processes import Process
from tests.streams.readers import PulseReader
from tests.streams.servers import lasting_port
from tests.waiting import elapse, now, until

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


async def test_without_valkey_each_process_goes_on_pulsing(deployment: Deployment) -> None:
    port = lasting_port()
    urls = [deployment.url, f"http://127.0.0.1:{port}"]
    second = Process("serve", deployment.home, {**deployment.environment, "MONETA_PORT": str(port)})
    readers: list[PulseReader] = []

    async def hear(count: int) -> None:
        """Returns once each reader has received so many more."""
        goals = [(reader, len(reader.pulses) + count) for reader in readers]
        await until(lambda: all(len(reader.pulses) >= goal or reader.is_over for reader, goal in goals))

    try:
        await second.answers(urls[1])
        readers += [PulseReader(url) for url in urls]
        await until(lambda: all(reader.pulses and reader.pulses[-1]["feedAgeMs"] is not None for reader in readers))
        deployment.servers.valkey.kill()
        try:
            await hear(2)
            # Also those who come now.
            readers += [PulseReader(url) for url in urls]
            await hear(2)
            without = [reader.pulses[-2:] for reader in readers]
        finally:
            await deployment.servers.valkey.restart()
        await hear(1)
    finally:
        await asyncio.gather(*(reader.stop() for reader in readers))
        second.kill()
    for earlier, newest in without:
        # What came through Valkey gets older, and what Postgres knows is known.
        assert earlier["feedAgeMs"] < newest["feedAgeMs"]
        assert (type(newest["tipAgeMs"]), type(newest["relayLagMs"])) == (int, int)
    for reader in readers:
        moments = [pulse["at"] for pulse in reader.pulses]
        assert moments == sorted(set(moments))

"""Postgres dies, alone or with everything behind the API: events wait, sockets stay open, and all of them arrive."""

import asyncio

from tests.streams.crowd import crowd
from tests.streams.plant import Plant
from tests.waiting import elapse, now, seen, until

DOWN_S = 1.5


async def test_a_crash_of_postgres_delays_events_and_spoils_none(plant: Plant) -> None:
    async with crowd(plant) as here:
        await here.published(60)
        plant.servers.postgres.kill()
        died = now()
        try:
            await elapse(DOWN_S)
            # The next write notices it.
            await until(lambda: bool(here.publisher.unsure))
        finally:
            await plant.servers.postgres.come_back()
        back = now()
        await here.published(120)
        await here.caught_up()
        # Neither closed, nor an answer with errors: that would be a fault.
        here.unhurt()
        assert plant.api.lives
        assert plant.worker.lives
        await until(lambda: moves(plant))
    print(f"{len(here.publisher.unsure)} writes without an answer")
    seen("Postgres killed: down for", back - died)
    here.report("Postgres killed", died - 0.5, back + 1)


async def test_everything_behind_the_api_dies_at_once(plant: Plant) -> None:
    async with crowd(plant) as here:
        await here.published(60)
        died = now()
        for each in (plant.worker, plant.servers.postgres, plant.servers.valkey):
            each.kill()
        try:
            await elapse(DOWN_S)
        finally:
            plant.servers.valkey.forget()
            await asyncio.gather(plant.servers.postgres.come_back(), plant.servers.valkey.come_back())
            await plant.start_worker()
        back = now()
        await here.published(120)
        await here.caught_up()
        here.unhurt()
        await until(lambda: moves(plant))
    seen("All but the API killed: down for", back - died)
    here.report("All but the API killed", died - 0.5, back + 1)


async def moves(plant: Plant) -> bool:
    """Whether the relay has found its way back, and not only the hubs' comparison with Postgres."""
    async with plant.owner() as owner:
        return bool(await owner.fetchval("SELECT count(*) < 10 FROM events WHERE published_at IS NULL"))

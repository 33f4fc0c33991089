"""Postgres dies, alone or with everything behind the API: events wait, sockets stay open, and all of them arrive."""

import asyncio

from tests.streams.crowd import crowd
from tests.streams.deployment import Deployment
from tests.waiting import elapse, now, seen, until

DOWN_S = 1.5


async def test_a_crash_of_postgres_delays_events_and_spoils_none(deployment: Deployment) -> None:
    async with crowd(deployment) as here:
        await here.published(60)
        deployment.servers.postgres.kill()
        died = now()
        try:
            await elapse(DOWN_S)
            # The next write notices it.
            await until(lambda: bool(here.publisher.unsure))
        finally:
            await deployment.servers.postgres.restart()
        back = now()
        await here.published(120)
        await here.caught_up()
        # Neither closed, nor an answer with errors: that would be a fault.
        here.unhurt()
        assert deployment.api.lives
        assert deployment.worker.lives
        await until(lambda: moves(deployment))
    print(f"{len(here.publisher.unsure)} writes without an answer")
    seen("Postgres killed: down for", back - died)
    here.report("Postgres killed", died - 0.5, back + 1)


async def test_everything_behind_the_api_dies_at_once(deployment: Deployment) -> None:
    async with crowd(deployment) as here:
        await here.published(60)
        died = now()
        for each in (deployment.worker, deployment.servers.postgres, deployment.servers.valkey):
            each.kill()
        try:
            await elapse(DOWN_S)
        finally:
            deployment.servers.valkey.forget()
            await asyncio.gather(deployment.servers.postgres.restart(), deployment.servers.valkey.restart())
            await deployment.start_worker()
        back = now()
        await here.published(120)
        await here.caught_up()
        here.unhurt()
        await until(lambda: moves(deployment))
    seen("All but the API killed: down for", back - died)
    here.report("All but the API killed", died - 0.5, back + 1)


async def moves(deployment: Deployment) -> bool:
    """Whether the relay has found its way back, and not only the hubs' comparison with Postgres."""
    async with deployment.owner() as owner:
        return bool(await owner.fetchval("SELECT count(*) < 10 FROM events WHERE published_at IS NULL"))

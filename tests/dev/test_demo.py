"""The demo data is loaded at every start: what people have done since must not stand in its way."""

from rich.progress import Progress

from app.dev.demo import load_demo
from app.dev.demo_prices import DemoSize
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.house import Services
from tests.databases import Owner

SMALL = DemoSize(minute_tokens=2, days=1, daily_days=3)


async def test_a_later_start_leaves_alone_what_people_have_done(
    services: Services, database: Database, owner: Owner, clock: FixedClock
) -> None:
    now = clock.now()
    with Progress(disable=True) as progress:
        await load_demo(services, database, clock, progress, SMALL)
        assert await owner.fetchval("SELECT nickname FROM beneficiaries") == "Bob"
        assert clock.now() == now

        # Once with the idempotency key known, once after it has expired.
        for statement in ("DELETE FROM beneficiaries", "DELETE FROM idempotency_keys"):
            await owner.execute(statement)
            await load_demo(services, database, clock, progress, SMALL)
            assert await owner.fetchval("SELECT count(*) FROM beneficiaries") == 0
            assert await owner.fetchval("SELECT count(*) FROM watchlist_items") == 9
            assert await owner.fetchval("SELECT max(height) FROM blocks") == 199

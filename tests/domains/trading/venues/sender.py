"""A process that leads, and does once what is due at exchanges: `python -m tests.domains.trading.venues.sender`, with
the addresses of Postgres, of Valkey and of the stub exchange, and the time.
"""

import asyncio
import sys
import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from app.domains.trading.services import TradingServices
from app.domains.trading.venues.services.client import Markets
from app.domains.trading.venues.services.connector import Connector
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.events import EventLog
from app.kit.mail import FolderMailer
from app.kit.redis_client import open_redis
from app.main import build_wiring
from tests.conftest import APP_ROLE, settings_for_tests
from tests.factories import cheap_passwords
from tests.waiting import HANG_S


async def main(database_url: str, redis_url: str, address: str, at: str) -> None:
    """Runs until what is due has been done."""
    database = await Database.open(database_url, role=APP_ROLE, size=4, timeout_s=HANG_S)
    redis, clock = await open_redis(redis_url, timeout_s=HANG_S), FixedClock(datetime.fromisoformat(at))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        events, mailer = EventLog(database, redis), FolderMailer(home, clock)
        wiring = build_wiring(settings_for_tests(home), database, redis, clock, events, mailer, cheap_passwords())
        made = wiring.services[TradingServices].venues
        connector = Connector(Markets(), address)
        venues = replace(made, connector=connector, accounts=replace(made.accounts, connector=connector))
        await venues.lead()
        await venues.step()
        await venues.close()
    await redis.aclose()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

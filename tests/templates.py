"""Databases that are made through the services once a worker, for tests to have copies of."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.events import EventLog
from app.kit.house import Services
from app.kit.mail import FolderMailer
from app.kit.redis_client import open_redis
from app.main import build_wiring
from tests.conftest import APP_ROLE, settings_for_tests
from tests.databases import Owner, clone, in_database
from tests.factories import cheap_passwords
from tests.keys import KEYS
from tests.waiting import HANG_S


class Making(NamedTuple):
    """What a template is made with."""

    url: str
    services: Services
    database: Database


@contextlib.asynccontextmanager
async def making(
    name: str, url: str, redis_url: str, administrator: Owner, *, home: Path, clock: FixedClock
) -> AsyncIterator[Making]:
    """Makes a database called `name`. In the end nobody is connected to it, so that it can be copied."""
    KEYS.restart()
    await clone(administrator, name)
    made = in_database(url, name)
    passwords, redis = cheap_passwords(), await open_redis(redis_url)
    database = await Database.open(made, role=APP_ROLE, size=4, timeout_s=HANG_S)
    try:
        events, mailer = EventLog(database, redis), FolderMailer(home / "outbox", clock)
        wiring = build_wiring(settings_for_tests(home), database, redis, clock, events, mailer, passwords)
        yield Making(made, wiring.services, database)
    finally:
        await database.close()
        await redis.aclose()
        passwords.close()

"""Portfolios of two people, for each test."""

import pytest_asyncio

from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.house import Services
from tests.databases import Owner
from tests.domains.market.token_listing import list_tokens
from tests.domains.trading.stage import Stage
from tests.factories import register


@pytest_asyncio.fixture
async def stage(services: Services, database: Database, owner: Owner, clock: FixedClock) -> Stage:
    """Two people whose portfolios are still to be made, and quoted tokens."""
    await list_tokens(owner)
    alice, bob = await register(services), await register(services, "bob@example.com")
    await owner.execute("TRUNCATE portfolios, journal_entries, journal_lines CASCADE")
    made = Stage(services, database, owner, clock, alice, bob)
    await made.quote()
    return made

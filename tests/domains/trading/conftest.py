"""Portfolios of two people, for each test."""

import asyncpg
import pytest
import pytest_asyncio

from app.dev.embedded import Embedded
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.house import Services
from tests.databases import NOON, Owner, Template, next_number
from tests.domains.market.token_listing import list_tokens
from tests.domains.trading.stage import People, Stage
from tests.factories import register
from tests.templates import making


@pytest_asyncio.fixture(scope="session")
async def people(
    servers: Embedded, template_url: str, administrator: Owner, tmp_path_factory: pytest.TempPathFactory
) -> People:
    """Two people whose portfolios are still to be made, and quoted tokens, in a database that can be copied."""
    clock, home, name = FixedClock(NOON), tmp_path_factory.mktemp("trading"), f"moneta_trading_{next_number()}"
    async with making(name, template_url, servers.redis_url, administrator, home=home, clock=clock) as (
        url,
        services,
        database,
    ):
        owner = await asyncpg.connect(url)
        await list_tokens(owner)
        alice, bob = await register(services), await register(services, "bob@example.com")
        await owner.execute("TRUNCATE portfolios, journal_entries, journal_lines CASCADE")
        await Stage(services, database, owner, clock, alice, bob).quote()
        await owner.close()
    return People(Template(name, users=2), alice, bob, clock.now())


@pytest.fixture
def template(request: pytest.FixtureRequest, people: People) -> Template:
    """Tests without a stage begin with nobody."""
    return people.template if "stage" in request.fixturenames else Template()


@pytest.fixture
def stage(services: Services, database: Database, owner: Owner, clock: FixedClock, people: People) -> Stage:
    """Two people whose portfolios are still to be made, and quoted tokens."""
    clock.advance(people.now - clock.now())
    return Stage(services, database, owner, clock, people.alice, people.bob)

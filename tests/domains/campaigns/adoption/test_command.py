"""The command, over a database of its own."""

from typing import Any

import pytest
import pytest_asyncio
from rich.progress import Progress

from app.dev.embedded import Embedded
from app.domains.campaigns.adoption.model import HasTenants, NotTheOwner
from app.domains.tenancy.tenants.model.tenants import SlugTaken
from app.kit.errors import NotFound
from app.kit.house import Services
from app.maintenance import Adopter, adopt_tenant
from app.settings import Settings
from tests.databases import Owner
from tests.domains.campaigns.adoption.legacy import PROJECTS, USERS, dump
from tests.factories import register

DEFAULT = Adopter("default", "Default Tenant", "alice@example.com")


@pytest_asyncio.fixture
async def located(
    settings: Settings, database_url: str, servers: Embedded, services: Services, owner: Owner
) -> Settings:
    """A deployment with the dump, and two users."""
    await register(services)
    await register(services, "bob@example.com")
    await owner.execute(dump())
    return settings.model_copy(update={"database_url": database_url, "redis_url": servers.redis_url})


async def adopt(located: Settings, adopter: Adopter = DEFAULT, *, dry_run: bool = False) -> Any:
    return await adopt_tenant(located, "legacy", adopter, Progress(disable=True), dry_run=dry_run)


async def test_the_default_tenant_is_created_once_and_adopts(located: Settings, owner: Owner) -> None:
    dry = await adopt(located, dry_run=True)
    assert await owner.fetchval("SELECT count(*) FROM tenants") == 0
    report = await adopt(located)
    assert report.differences == dry.differences == []
    assert (report.left, report.adopted["users"]) == ({"claims": 7}, dry.adopted["users"])
    assert (await adopt(located)).adopted == report.adopted
    [tenant] = await owner.fetch("SELECT slug, name, email FROM tenants")
    assert tuple(tenant) == ("default", "Default Tenant", "alice@example.com")
    assert f"users: {USERS:,} found, {report.adopted['users']:,} adopted (" in "\n".join(report.lines())
    assert f"projects: {PROJECTS:,} found" in "\n".join(report.lines())
    assert "claims: 7 rows, not adopted" in report.lines()
    bob = DEFAULT._replace(owner="bob@example.com")
    with pytest.raises(SlugTaken):
        await adopt(located, bob)
    await owner.execute(
        "INSERT INTO tenant_members (tenant_id, user_id, role) SELECT t.id, u.id, 'admin' FROM tenants t, users u"
        " WHERE u.email = 'bob@example.com'"
    )
    with pytest.raises(NotTheOwner):
        await adopt(located, bob)


async def test_who_is_no_user_owns_no_tenant(located: Settings, owner: Owner) -> None:
    with pytest.raises(NotFound, match="create-admin"):
        await adopt(located, DEFAULT._replace(owner="nobody@example.com"))
    assert await owner.fetchval("SELECT count(*) FROM tenants") == 0


async def test_a_database_that_has_tenants_is_not_adopted(located: Settings, owner: Owner) -> None:
    await owner.execute("ALTER TABLE legacy.users ADD COLUMN tenant_id uuid")
    with pytest.raises(HasTenants):
        await adopt(located)

"""While the demo runs, somebody joins its first project every now and then, and completes a task."""

import asyncio
import random
from typing import Final

import structlog

from app.dev.demo_campaigns import PROJECTS, SLUG, TASKS
from app.domains.accounts.model import Client
from app.domains.accounts.services import AccountsServices
from app.domains.campaigns.participants.loaders import participant_by_telegram_id
from app.domains.campaigns.participants.model import NewParticipant
from app.domains.campaigns.projects.loaders import project_by_key
from app.domains.campaigns.services import CampaignsServices
from app.domains.campaigns.tasks.loaders import tasks_by_project
from app.domains.tenancy.services import TenancyServices
from app.domains.tenancy.tenants.model.tenants import Tenancy
from app.kit.errors import Problem, Unavailable
from app.kit.house import Services
from app.kit.lists import page_request
from app.kit.reads import Reads

MOST: Final = 2_000
"""How many join, of all demos that were ever started with the same data."""
PAUSES_S: Final = (8.0, 24.0)
_FIRST_TELEGRAM_ID: Final = 7_100_000_000
_STRIDE: Final = 100
"""So many at once are passed over that have joined before."""

log = structlog.get_logger(__name__)


async def keep_joining(services: Services, owner_email: str) -> None:
    """Lets somebody join every now and then, until there are as many as there may be, or the demo's tenant or project
    takes nobody any more. The same people come in the same order, whenever it begins again.
    """
    key = next(iter(PROJECTS))
    chance, number = random.Random(key), 0
    while True:
        try:
            acting = await _acting(services, owner_email)
            if acting is None:
                return
            number = await _joined_before(services, acting, number)
            if number >= MOST:
                return
            await join(services, acting, key, number)
        except Unavailable:
            # Servers are being started again.
            log.info("demo_joins.waiting")
        except Problem as problem:
            log.info("demo_joins.ended", reason=problem.message)
            return
        await asyncio.sleep(chance.uniform(*PAUSES_S))


async def join(services: Services, acting: Tenancy, project_key: str, number: int) -> None:
    """Somebody joins, and completes a task."""
    campaigns, chance = services[CampaignsServices], random.Random(number)
    new = NewParticipant(
        telegram_id=_FIRST_TELEGRAM_ID + number, username=f"live{number:04d}", referral_code=f"LIVE-{number:04d}",
        is_verified=True,
    )  # fmt: skip
    named = f"demo-live-{number}"
    participant = await campaigns.participants.create(acting, new, f"{named}-created")
    id = await campaigns.joining.join(acting, project_key, participant, f"{named}-joined")
    if chance.random() < 0.8:
        reads = Reads(campaigns.projects.database, acting.scope)
        try:
            project = await reads.one(project_by_key, project_key)
            assert project is not None
            tasks = await reads.page(tasks_by_project, project.id, page_request(tasks_by_project, 50))
        finally:
            await reads.aclose()
        [task] = [each.id for each in tasks.records if each.key == TASKS[0].key]
        await campaigns.completions.complete(acting, id, task, None, f"{named}-completed")


async def _acting(services: Services, owner_email: str) -> Tenancy | None:
    owner = await services[AccountsServices].users.by_email(owner_email)
    if owner is None:
        return None
    return await services[TenancyServices].access.tenancy(owner.id, SLUG, Client())


async def _joined_before(services: Services, acting: Tenancy, number: int) -> int:
    """The first number from this one on that nobody has who has joined."""
    reads = Reads(services[CampaignsServices].projects.database, acting.scope)
    try:
        for stride in (_STRIDE, 1):
            while await reads.one(participant_by_telegram_id, _FIRST_TELEGRAM_ID + number + stride - 1) is not None:
                number += stride
    finally:
        await reads.aclose()
    return number

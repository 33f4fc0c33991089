"""The demo's tenant: two public projects with tasks, and people who take part."""

import dataclasses
import random
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.domains.accounts.model import Viewer
from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.participants.model import Attribute, NamedWallet, NewParticipant
from app.domains.campaigns.projects.model import (
    ClaimLevel,
    FixedDistribution,
    LevelDistribution,
    NewProject,
    Requirements,
)
from app.domains.campaigns.projects.statements import ProjectSql
from app.domains.campaigns.services import CampaignsServices
from app.domains.campaigns.tasks.model import NewTask, ProofKind, Quiz
from app.domains.tenancy.services import TenancyServices
from app.domains.tenancy.tenants.model.tenants import NewTenant, SlugTaken, Tenancy, TenantLimitReached
from app.domains.tenancy.tenants.services.access import system_scope
from app.kit.clock import FixedClock
from app.kit.crypto.base58 import encode58
from app.kit.db import Tx
from app.kit.errors import IdempotencyKeyReused, ResultDeleted
from app.kit.house import Services
from app.kit.sql import Command, Statements

SLUG: Final = "demo"
NAMED: Final = 50
"""Participants with all that there is to know of one."""
PARTICIPANTS: Final = 500
STEP: Final = timedelta(hours=11)
LOCALES: Final = ("en", "de-AT", "pt-BR", "ja", "fr")
NAMES: Final = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hana", "Ivo", "Jan")
SOLANA_TOKEN: Final = 10**9
ETHEREUM_TOKEN: Final = 10**18
PROJECTS: Final = {
    "proj_moondrop0001": NewProject(
        name="Moon Drop",
        description="A hundred tokens for everybody who is verified.",
        network=Network.SOLANA,
        token_name="Moon",  # noqa: S106  # of a coin
        token_symbol="MOON",  # noqa: S106  # of a coin
        token_decimals=9,
        total_supply=1_000_000 * SOLANA_TOKEN,
        distribution=FixedDistribution(100 * SOLANA_TOKEN),
        requirements=Requirements(verified_only=True),
        max_participants=500,
    ),
    "proj_sundrop00001": NewProject(
        name="Sun Drop",
        description="The higher the level, the more there is to claim.",
        network=Network.ETHEREUM,
        token_name="Sun",  # noqa: S106  # of a coin
        token_symbol="SUN",  # noqa: S106  # of a coin
        token_decimals=18,
        total_supply=21_000_000 * ETHEREUM_TOKEN,
        distribution=LevelDistribution(
            (
                ClaimLevel(1, ETHEREUM_TOKEN // 2),
                ClaimLevel(3, 2 * ETHEREUM_TOKEN),
                ClaimLevel(5, 10 * ETHEREUM_TOKEN),
            )
        ),
        requirements=Requirements(wallet_required=True),
        max_claims_per_participant=3,
    ),
}
TASKS: Final = (
    NewTask(key="follow", name="Follow us", points=20, proof_kind=ProofKind.API, position=1),
    NewTask(
        key="post",
        name="Write about us",
        description="Send the address of what you have written.",
        points=150,
        max_completions=3,
        cooldown_s=7 * 24 * 3_600,
        proof_kind=ProofKind.MANUAL,
        position=2,
    ),
    NewTask(
        key="supply",
        name="How many bitcoins will there be?",
        description="In millions.",
        points=80,
        proof_kind=ProofKind.QUIZ,
        quiz=Quiz("21"),
        position=3,
    ),
)


class DemoCampaignSql(Statements, file="demo_campaigns.sql"):
    """What all participants have done."""

    add_participants: Command
    add_participations: Command
    add_completions: Command
    add_entries: Command
    sum_points: Command
    sum_counters: Command


async def load_demo_campaigns(services: Services, clock: FixedClock, owner: Viewer) -> bool:
    """Loads it; False if it was loaded before."""
    tenancy, campaigns, end = services[TenancyServices], services[CampaignsServices], clock.now()
    if await tenancy.access.tenancy(owner.user_id, SLUG, owner.client) is not None:
        return False
    clock.advance(-STEP * (NAMED + 1))
    try:
        new = NewTenant(slug=SLUG, name="Moneta Demo", email="demo@example.com", time_zone="Europe/Vienna")
        await tenancy.tenants.create(owner, new, "demo-tenant")
        acting = await tenancy.access.tenancy(owner.user_id, SLUG, owner.client)
        if acting is None:
            # It was deleted since.
            return False
        for key, project in PROJECTS.items():
            # Examples name it.
            projects = dataclasses.replace(campaigns.projects, new_key=partial(str, key))
            id = await projects.create(acting, project, f"demo-project-{key}")
            for task in TASKS:
                await campaigns.tasks.define(acting, id, task)
        for number in range(NAMED):
            clock.advance(STEP)
            await campaigns.participants.create(acting, _participant(number), f"demo-participant-{number}")
        clock.advance(end - clock.now())
        await _take_part(campaigns, acting, end)
    except (SlugTaken, TenantLimitReached, ResultDeleted, IdempotencyKeyReused):
        return False
    finally:
        clock.advance(end - clock.now())
    return True


async def _take_part(campaigns: CampaignsServices, acting: Tenancy, end: datetime) -> None:
    """As if all of them had joined one by one, in a second instead of a minute."""
    tenant_id = acting.tenant_id

    async def work(tx: Tx) -> None:
        keys = sorted(PROJECTS)
        found = {each.key: each.id for each in await tx.fetch(ProjectSql.projects_by_keys, keys)}
        await tx.execute(DemoCampaignSql.add_participants, tenant_id, NAMED, PARTICIPANTS, end)
        await tx.execute(DemoCampaignSql.add_participations, tenant_id, [found[key] for key in keys], end)
        await tx.execute(DemoCampaignSql.add_completions, tenant_id, end)
        for command in (DemoCampaignSql.add_entries, DemoCampaignSql.sum_points, DemoCampaignSql.sum_counters):
            await tx.execute(command, tenant_id)

    await campaigns.projects.database.write(system_scope(acting), work)


def _participant(number: int) -> NewParticipant:
    """The same in each demo."""
    chance = random.Random(number)
    name = f"{NAMES[number % len(NAMES)].lower()}{number:02d}"
    key = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32)).public_key().public_bytes_raw()
    return NewParticipant(
        telegram_id=7_000_000_000 + number,
        discord_id=f"{name}#{chance.randrange(10_000):04d}" if number % 3 == 0 else None,
        username=name,
        first_name=NAMES[number % len(NAMES)],
        locale=chance.choice(LOCALES),
        attributes=(Attribute("tier", chance.choice(("bronze", "silver", "gold"))),),
        is_active=number % 17 != 16,
        is_verified=chance.random() < 0.6,
        referral_code=f"DEMO-{number:02d}",
        referrer_code=f"DEMO-{chance.randrange(number):02d}" if number and chance.random() < 0.5 else None,
        wallets=(NamedWallet(Network.SOLANA, encode58(key)),) if number % 4 else (),
    )

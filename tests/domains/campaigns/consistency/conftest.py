"""A project in which things happened."""

import pytest_asyncio

from app import main
from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.participants.model import NamedWallet
from app.kit.data_checks import DataDoctor
from app.kit.db import Database
from tests.domains.campaigns.analytics.park import Park
from tests.domains.campaigns.fair import SOLANA, Fair, in_test_mode

LEVELS = (
    "UPDATE participations p SET level = 1 + width_bucket(p.points, j.level_thresholds),"
    " next_level_points = j.level_thresholds[1 + width_bucket(p.points, j.level_thresholds)]"
    " FROM projects j WHERE j.id = p.project_id"
)
COUNTS = (
    "INSERT INTO project_counters (tenant_id, livemode, project_id, shard, participants, completions)"
    " SELECT tenant_id, livemode, project_id, mod(abs(hashtext(id::text)::bigint), 16),"
    " count(*) FILTER (WHERE status = 'active'), sum((SELECT count(*) FROM task_completions c"
    " WHERE c.participation_id = p.id AND c.status = 'accepted')) FROM participations p GROUP BY 1, 2, 3, 4"
)


@pytest_asyncio.fixture
async def park(fair: Fair) -> Park:
    """Four participants in two modes: one has referred two, some have points, one has left, one has a wallet."""
    park = Park(fair, await fair.project())
    tested = Park(fair, await fair.project(in_test_mode(fair.alice)))
    await fair.participant(referral_code="FIRST", wallets=(NamedWallet(Network.SOLANA, SOLANA),))
    await fair.participant(referrer_code="FIRST")
    await fair.participant(referrer_code="FIRST")
    who = [await park.joined() for _ in range(3)]
    for each in who[:2]:
        await park.completed(each, points=100)
        await park.points(each, 7)
    await park.change(who[2], "status = 'left', left_at = now()")
    await tested.join(await fair.participant(in_test_mode(fair.alice)))
    await park.owner.execute(LEVELS)
    await park.owner.execute(COUNTS)
    await park.track()
    await park.statistics.count()
    # Some are not counted yet.
    await park.track()
    return park


@pytest_asyncio.fixture
async def doctor(park: Park, database: Database) -> DataDoctor:
    return DataDoctor(database, [each for house in main.DOMAINS for each in house.counters], batch=2)

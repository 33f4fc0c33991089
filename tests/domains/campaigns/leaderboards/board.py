"""A leaderboard as it is read, and as it follows from the participations."""

from typing import Final
from uuid import UUID

from app.domains.campaigns.leaderboards import loaders
from app.kit.db import Database, Scope
from app.kit.lists import page_request
from app.kit.reads import Reads
from tests.databases import Owner

Ranked = tuple[int, UUID, int, int]
"""Rank, participation, points, level."""

_EXPECTED: Final = """
    SELECT rank() OVER (ORDER BY points DESC), id, points, level FROM participations
    WHERE project_id = $1 AND status = 'active' ORDER BY points DESC, id DESC
"""
_COUNTS: Final = """
    SELECT d.level, d.prefix, count(*) FROM participations p, leaderboard_digits(p.points) AS d
    WHERE p.project_id = $1 AND p.status = 'active' GROUP BY d.level, d.prefix ORDER BY d.level, d.prefix
"""
_KEPT: Final = """
    SELECT level, prefix, participants FROM leaderboard_counts WHERE project_id = $1 ORDER BY level, prefix
"""


async def shown(database: Database, scope: Scope, project: UUID, size: int = 3) -> list[Ranked]:
    """The whole leaderboard of a project, read page by page."""
    found: list[Ranked] = []
    order, after = loaders.entries_by_project.orders["POINTS"], None
    while True:
        reads = Reads(database, scope)
        request = page_request(loaders.entries_by_project, size, after=after)
        page = await reads.page(loaders.entries_by_project, project, request)
        await reads.aclose()
        found += [(each.rank, each.participation_id, each.points, each.level) for each in page.records]
        if not page.has_next:
            return found
        after = order.position(page.records[-1], descending=True)


async def rank(database: Database, scope: Scope, participation: UUID) -> int | None:
    """The rank of a participation. None: it has none, or is not seen."""
    reads = Reads(database, scope)
    found = await reads.one(loaders.rank_by_participation, participation)
    await reads.aclose()
    return None if found is None else found.rank


async def expected(owner: Owner, project: UUID) -> list[Ranked]:
    """The leaderboard of a project, by a window over its participations."""
    return [tuple(row) for row in await owner.fetch(_EXPECTED, project)]


async def assert_right(database: Database, owner: Owner, scope: Scope, project: UUID) -> None:
    """What is shown, each rank, and each row of the counts is as the participations are."""
    right = await expected(owner, project)
    assert await shown(database, scope, project) == right
    by_id = {each[1]: each[0] for each in right}
    for row in await owner.fetch("SELECT id FROM participations WHERE project_id = $1", project):
        assert await rank(database, scope, row["id"]) == by_id.get(row["id"])
    kept = [tuple(row) for row in await owner.fetch(_KEPT, project)]
    assert kept == [tuple(row) for row in await owner.fetch(_COUNTS, project)]

"""The loaders of leaderboards: for who sees the project, and for members of its tenant."""

from app.domains.campaigns.leaderboards.statements import LeaderboardSql
from app.kit.lists import by
from app.kit.loaders import Audience, one, page

leaderboard_by_key = one(LeaderboardSql.leaderboards_by_keys, key="key")
entries_by_project = page(
    LeaderboardSql.entries_by_project,
    orders={"POINTS": by("points", "participation_id", descending=True)},
    audience=Audience.TENANT,
)
rank_by_participation = one(LeaderboardSql.ranks_by_participations, key="participation_id")

"""The statements about leaderboards."""

from uuid import UUID

from app.domains.campaigns.leaderboards.model import Leaderboard, LeaderboardEntry, Rank
from app.kit.sql import Command, Query, Rows, Statements


class LeaderboardSql(Statements, file="leaderboards.sql"):
    """Entries, ranks and changes of leaderboards."""

    leaderboards_by_keys: Query[Leaderboard]
    entries_by_project: Rows[LeaderboardEntry]
    ranks_by_participations: Query[Rank]
    take_changes: Query[UUID]
    put_changes_back: Command

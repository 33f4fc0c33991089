"""Leaderboards: who takes part in a project, in the order of their points."""

from typing import Final
from uuid import UUID

import msgspec

MAX_ENTRIES: Final = 100
"""Of a leaderboard that is followed."""
CHANGED: Final = "changed"
"""The only key of the topic of a leaderboard."""


class Leaderboard(msgspec.Struct, frozen=True):
    """The leaderboard of a project that the caller sees."""

    key: str
    project_id: UUID
    is_public: bool
    """Whether everybody sees it now."""


class LeaderboardEntry(msgspec.Struct, frozen=True):
    """Someone who takes part, as everybody sees them who sees the project."""

    participation_id: UUID
    project_id: UUID
    rank: int
    points: int
    level: int
    public_name: str | None


class Rank(msgspec.Struct, frozen=True):
    """Where a participation is on the leaderboard. None: it is not on it."""

    participation_id: UUID
    rank: int | None


def leaderboard_topic(project_id: UUID) -> str:
    """The name of the topic of a project's leaderboard. Its value is another one after each change."""
    return f"leaderboard:{project_id}"

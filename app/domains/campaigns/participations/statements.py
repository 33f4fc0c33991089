"""The statements about participations."""

from uuid import UUID

from app.domains.campaigns.participations.model import (
    Joiner,
    Location,
    LockedParticipation,
    OpenProject,
    Participation,
    PointEntry,
    ProjectCounts,
    Relevelled,
    Review,
    Standing,
)
from app.kit.sql import Command, Query, Rows, Statements


class ParticipationSql(Statements, file="participations.sql"):
    """Who takes part in which project, and what was decided about it."""

    participations_by_ids: Query[Participation]
    participations_by_project: Rows[Participation]
    participations_by_participant: Rows[Participation]
    participations_by_user: Rows[Participation]
    own_participations_by_projects: Query[Participation]
    reviews_by_participations: Query[Review]
    project_of_key: Query[OpenProject]
    share_project: Query[OpenProject]
    share_project_of_key: Query[OpenProject]
    hold_project: Query[OpenProject]
    hold_project_of_key: Query[OpenProject]
    count_of_project: Query[tuple[int, int]]
    joiner_by_id: Query[Joiner]
    participant_of_user: Query[UUID]
    username_of_user: Query[str]
    insert_joiner: Query[UUID]
    lock_participation: Query[LockedParticipation]
    lock_participation_of: Query[LockedParticipation]
    place_of_participation: Query[Location]
    insert_participation: Query[LockedParticipation]
    set_status: Command
    set_verification: Command
    put_verification: Command
    put_ban: Command


class PointSql(Statements, file="points.sql"):
    """Points, levels, and what is counted of projects."""

    entries_by_participation: Rows[PointEntry]
    point_entries_by_ids: Query[PointEntry]
    add_points: Query[Standing]
    count: Command
    counts_by_projects: Query[ProjectCounts]
    announce_counts: Query[UUID]
    set_levels: Command
    participations_to_level: Query[UUID]
    level_participations: Query[Relevelled]

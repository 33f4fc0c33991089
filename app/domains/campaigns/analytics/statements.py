"""The statements about what happens in projects."""

from datetime import date
from uuid import UUID

from app.domains.campaigns.analytics.model import (
    ArchivedEvent,
    Fingerprint,
    Funnel,
    ParticipantStatistics,
    ProjectEvent,
    ProjectStatistics,
    RetentionWeek,
    TenantUsage,
)
from app.kit.sql import Command, Query, Rows, Statements


class ProjectEventSql(Statements, file="events.sql"):
    """What happens in projects."""

    events_by_project: Rows[ProjectEvent]
    project_to_track: Query[tuple[UUID, bool]]
    known_participants: Query[tuple[UUID, bool]]
    insert_events: Command
    empty_origins: Command
    redact_events: Command


class StatisticsSql(Statements, file="statistics.sql"):
    """How often it happens, and to how many."""

    statistics_by_project: Rows[ProjectStatistics]
    retention_by_project: Rows[RetentionWeek]
    funnels_by_projects: Query[Funnel]
    statistics_by_participants: Query[ParticipantStatistics]
    usage_by_tenants: Query[TenantUsage]
    lock_counting: Command
    count_events: Command
    forget_activity: Command


class ArchiveSql(Statements, file="archives.sql"):
    """Months that are written into files."""

    months_to_archive: Query[date]
    lock_archiving: Query[bool]
    fingerprint_of_month: Query[Fingerprint]
    events_after: Query[ArchivedEvent]
    drop_month: Query[bool]
    archived_months: Query[date]

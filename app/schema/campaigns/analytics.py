"""What happens in projects: events, how often they happen, who stays and how far participants get."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from app.domains.campaigns.analytics import loaders, model
from app.domains.campaigns.analytics.services.statistics import span
from app.domains.campaigns.participants import loaders as participant_loaders
from app.engine.declarations.computed import from_parent
from app.engine.declarations.costs import costs, holds
from app.engine.declarations.extensions import extension_of
from app.engine.declarations.nodes import key_of, record_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import paged, related
from app.schema.campaigns.participants import Participant
from app.schema.campaigns.projects import Project
from app.schema.enums import declare_enum
from app.schema.scalars import BigInt
from app.schema.tenancy.api_keys import TenantUsage

TYPE = f"1 to {model.MAX_TYPE_CHARS} lower-case letters, digits and `_` `.`, beginning with a letter."
MAX_LEVELS = 100
FUNNEL_COST = 10
COUNTING_COST = 50
MEMBERS = "For the members of its tenant, where the request names that."

declare_enum(
    model.EventSource,
    name="ProjectEventSource",
    description="Who recorded an event of a project.",
    TENANT="The tenant, by `trackProjectEvent`.",
    MONETA="Moneta itself, when it did something.",
)
declare_enum(
    model.Interval,
    name="StatisticsInterval",
    description="A part of the calendar, in UTC whatever the time zone of the tenant is.",
    HOUR="An hour.",
    DAY="A day.",
    WEEK="A week, which begins on Monday.",
    MONTH="A month.",
)


def _properties(root: model.ProjectEvent) -> Any:
    return root.given_properties


def _user_properties(root: model.ProjectEvent) -> Any:
    return root.given_user_properties


def _points(root: model.ProjectStatistics) -> BigInt:
    return BigInt(root.points)


def _levels(root: model.Funnel) -> list[model.LevelCount]:
    return [model.LevelCount(level, participants) for level, participants in enumerate(root.level_counts, 2)]


@record_type(model.ProjectEvent)
class ProjectAnalyticsEvent:
    """Something that happened in a project. Kept for a year, by whole months, and in files after that."""

    event_type: str = strawberry.field(name="type", description=f"The type: {TYPE}")
    event_name: str = strawberry.field(name="name", description=f"The name, 1 to {model.MAX_NAME_CHARS} characters.")
    source: model.EventSource = strawberry.field(description="Who recorded it.")
    participant: Participant | None = related(
        participant_loaders.participant_by_id,
        key="participant_id",
        description="Who it is about. Null: nobody, or they were erased.",
    )
    properties: JSON = from_parent(_properties, description="What else is known of it, an object.")
    user_properties: JSON = from_parent(
        _user_properties, description="What was known of the participant then, an object. Empty once they are erased."
    )
    session_id: str | None = strawberry.field(
        name="clientSession", description="The tenant's own name of a visit. Null: it gave none."
    )
    ip_address: str | None = strawberry.field(
        description="The IP address of the participant, as the tenant gave it. Null: it gave none; and after 90 days."
    )
    user_agent: str | None = strawberry.field(
        description="The user agent of the participant, as the tenant gave it. Null: it gave none; and after 90 days."
    )
    occurred_at: datetime = strawberry.field(description="When it happened.")
    created_at: datetime = strawberry.field(description="When it was recorded.")


@record_type(model.ProjectStatistics)
class ProjectStatistics:
    """What happened in a project in a part of the calendar. Kept for ever: it names nobody."""

    started_at: datetime = strawberry.field(description="When the part of the calendar begins, in UTC.")
    ended_at: datetime = strawberry.field(description="When the next one begins.")
    joins: int = strawberry.field(
        name="joinCount", description="How often participants joined, again or after a ban was lifted included."
    )
    leaves: int = strawberry.field(name="leaveCount", description="How often participants left or were banned.")
    completions: int = strawberry.field(
        name="completionCount", description="How many completions of tasks were accepted."
    )
    verifications: int = strawberry.field(name="verificationCount", description="How often participants were verified.")
    points: BigInt = from_parent(_points, description="The points that were given, less those that were taken.")
    tracked: int = strawberry.field(name="trackedCount", description="How many events the tenant tracked.")
    active_participants: int = strawberry.field(
        name="activeParticipantCount",
        description="How many participants joined, completed a task, or did something that the tenant tracked.",
    )


@record_type(model.RetentionWeek)
class ProjectRetention:
    """Of the participants who first joined a project in a week, how many were active in a week. Kept for ever."""

    joined_week: datetime = strawberry.field(
        name="joinedWeekAt", description="When the week began in which they joined, a Monday in UTC."
    )
    active_week: datetime = strawberry.field(
        name="activeWeekAt", description="When the week began in which they were active."
    )
    week: int = strawberry.field(name="weekNumber", description="How many weeks after they joined: 0 is that week.")
    joined: int = strawberry.field(name="joinedCount", description="The number of participants who joined.")
    active: int = strawberry.field(name="activeCount", description="The number of those who were active.")
    share: float = strawberry.field(
        name="retentionFraction", description="The share that was active: 0.25 is a quarter of those who joined."
    )


@record_type(model.LevelCount)
class FunnelLevel:
    """How many participants have reached a level."""

    level: int = strawberry.field(description="The level, from 2 on.")
    participants: int = strawberry.field(
        name="participantCount", description="How many of those who are verified have this level or a higher one."
    )


@record_type(model.Funnel)
class ProjectFunnel:
    """How far the participants of a project have got. Who counts at a step counts at those before it."""

    joined: int = strawberry.field(
        name="joinedCount", description="How many have joined, those who left or were banned included."
    )
    completed: int = strawberry.field(
        name="completedCount", description="How many of them have completed at least one task."
    )
    verified: int = strawberry.field(name="verifiedCount", description="How many of those are verified.")
    levels: list[FunnelLevel] = from_parent(
        _levels, description="How many of those have reached each level, from level 2 on.", metadata=holds(MAX_LEVELS)
    )


@record_type(model.ParticipantStatistics)
class ParticipantStatistics:
    """What a participant does in all projects of their tenant."""

    projects_joined: int = strawberry.field(
        name="joinedProjectCount",
        description="The number of projects that they have joined, those that they left or were banned from included.",
    )
    total_referrals: int = strawberry.field(
        name="referralCount", description="The number of participants that they have referred."
    )


@record_type(model.TenantUsage)
class TenantTotals:
    """What a tenant has, real or for tests as the request acts."""

    participant_count: int = strawberry.field(description="The number of participants.")
    api_key_count: int = strawberry.field(
        description="The number of API keys that can be used: neither revoked nor expired."
    )


@strawberry.input
class ProjectAnalyticsEventFilter:
    """Filters events by all fields that are given. A field that is null or omitted matches all."""

    type: str | None = strawberry.field(default=None, description="The type of the event.")
    participant_id: strawberry.ID | None = strawberry.field(
        default=None, description="The global ID of the participant that it is about."
    )
    since: datetime | None = strawberry.field(default=None, description="Happened at this time or later.")
    until: datetime | None = strawberry.field(default=None, description="Happened before this time.")

    def conditions(self) -> Mapping[str, Any]:
        """The filters of the loader. Raises NotFound."""
        who = self.participant_id
        return {
            "type": self.type,
            "participant_id": None if who is None else key_of(who, Participant),
            "since": self.since,
            "until": self.until,
        }


@strawberry.input
class ProjectRetentionFilter:
    """Filters retention by all fields that are given. A field that is null or omitted matches all."""

    since: datetime | None = strawberry.field(default=None, description="Joined in weeks that began then or later.")
    until: datetime | None = strawberry.field(default=None, description="Joined in weeks that began before this time.")


Since = Annotated[
    datetime, strawberry.argument(description="The first part of the calendar is the one that this time is in.")
]
Until = Annotated[datetime, strawberry.argument(description="The last one is the one before this time, or around it.")]
IntervalArgument = Annotated[model.Interval, strawberry.argument(description="How long the parts of the calendar are.")]


def _within(since: Since, until: Until, interval: IntervalArgument) -> Mapping[str, Any]:
    """The arguments of statistics. Raises InvalidInput."""
    return span(since, until, interval)


@extension_of(Project)
class ProjectAnalytics:
    """What happens in a project."""

    project_events: Connection[ProjectAnalyticsEvent] = paged(
        loaders.events_by_project,
        key="id",
        filter=ProjectAnalyticsEventFilter,
        description=f"What happened in it within a year, newest first. {MEMBERS}",
    )
    stats: Connection[ProjectStatistics] = paged(
        loaders.statistics_by_project,
        key="id",
        filtering=_within,
        max_size=model.MAX_BUCKETS,
        description=f"What happened in it in each part of the calendar, the first one first, also where nothing did."
        f" There are at most {model.MAX_BUCKETS:,}. {MEMBERS}",
    )
    retention: Connection[ProjectRetention] = paged(
        loaders.retention_by_project,
        key="id",
        filter=ProjectRetentionFilter,
        max_size=model.MAX_BUCKETS,
        description="Who stays: the weeks in which participants joined, newest first, and for each of them the weeks in"
        f" which some were active, newest first. It is a few seconds old. {MEMBERS}",
    )
    funnel: ProjectFunnel | None = related(
        loaders.funnel_by_project,
        key="id",
        description=f"How far its participants have got. Null for others than the members of its tenant. It costs"
        f" {FUNNEL_COST + 1}.",
        metadata=costs(FUNNEL_COST),
    )


@extension_of(Participant)
class ParticipantAnalytics:
    """What participants do."""

    statistics: ParticipantStatistics | None = related(
        loaders.statistics_by_participant,
        key="id",
        description="What they do in all projects of the tenant. Null if they are removed meanwhile.",
    )


@extension_of(TenantUsage)
class TenantUsageTotals:
    """What of the use of a tenant is participants and keys."""

    totals: TenantTotals | None = related(
        loaders.usage_by_tenant,
        key="tenant_id",
        description=f"What it has. Null unless the request names the tenant. It costs {COUNTING_COST + 1}.",
        metadata=costs(COUNTING_COST),
    )

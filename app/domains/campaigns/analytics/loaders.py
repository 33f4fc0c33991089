"""The loaders of what happens in projects, which the members of their tenant read."""

from app.domains.campaigns.analytics.statements import ProjectEventSql, StatisticsSql
from app.kit.lists import at_least, before, by, equals
from app.kit.loaders import Audience, one, page

events_by_project = page(
    ProjectEventSql.events_by_project,
    orders={"OCCURRED_AT": by("occurred_at", "id", descending=True)},
    filters={
        "type": equals("event_type"),
        "participant_id": equals("participant_id"),
        "since": at_least("occurred_at"),
        "until": before("occurred_at"),
    },
    audience=Audience.TENANT,
)
statistics_by_project = page(
    StatisticsSql.statistics_by_project,
    orders={"STARTED_AT": by("started_at")},
    audience=Audience.TENANT,
)
retention_by_project = page(
    StatisticsSql.retention_by_project,
    orders={"JOINED_AT": by("joined_week", "active_week", descending=True)},
    filters={"since": at_least("joined_week"), "until": before("joined_week")},
    audience=Audience.TENANT,
)
funnel_by_project = one(StatisticsSql.funnels_by_projects, key="project_id", audience=Audience.TENANT)
statistics_by_participant = one(StatisticsSql.statistics_by_participants, key="participant_id")
usage_by_tenant = one(StatisticsSql.usage_by_tenants, key="tenant_id", audience=Audience.TENANT)

"""The statements about analytics."""

from uuid import UUID

from app.domains.trading.analytics.model import AnalyticsCount, AnalyticsEvent
from app.kit.sql import Command, Query, Rows, Statements


class AnalyticsSql(Statements, file="analytics.sql"):
    """The statements about what users do."""

    analytics_events_by_user: Rows[AnalyticsEvent]
    record_event: Query[UUID | None]
    wait_for_event: Query[float]
    empty_origins: Command
    count_events: Command
    analytics_counts: Rows[AnalyticsCount]

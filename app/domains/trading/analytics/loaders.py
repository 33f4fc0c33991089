"""The loaders of analytics: a user's own events, and counts for admins."""

from app.domains.trading.analytics.statements import AnalyticsSql
from app.kit.lists import at_least, before, by, equals
from app.kit.loaders import Audience, page

analytics_events_by_user = page(
    AnalyticsSql.analytics_events_by_user,
    orders={"CREATED_AT": by("created_at", "id", descending=True)},
    filters={
        "type": equals("event_type"),
        "since": at_least("created_at"),
        "until": before("created_at"),
    },
    audience=Audience.VIEWER,
)
analytics_counts = page(
    AnalyticsSql.analytics_counts,
    orders={"DAY": by("day", "events", "id", descending=True)},
    filters={"type": equals("event_type"), "since": at_least("day"), "until": before("day")},
    audience=Audience.VIEWER,
)

"""The schedules of analytics. Events themselves are dropped by whole months, after two years: `partitioned_tables`."""

from app.domains.trading.analytics.services import Analytics
from app.kit.jobs import Schedule


def analytics_schedules(analytics: Analytics) -> list[Schedule]:
    """The schedules that count events, and forget where they came from."""
    return [
        Schedule("analytics-counts", "25 * * * *", "Counts the events of each day by type", analytics.count),
        Schedule(
            "analytics-origins",
            "20 3 * * *",
            "Empties the IP addresses and user agents of events after 90 days",
            analytics.empty_origins,
        ),
    ]

"""The schedules of accounts at exchanges."""

from app.domains.trading.venues.services.reconciling import Reconciling
from app.kit.jobs import Schedule


def venue_schedules(reconciling: Reconciling) -> list[Schedule]:
    """Comparisons with exchanges, and the end of their reports."""
    return [
        Schedule(
            "reconciliations",
            "25 * * * *",
            "Compares the books of live portfolios with their exchanges",
            reconciling.ask_all,
        ),
        Schedule(
            "old-reconciliations",
            "50 3 * * *",
            "Deletes reports of comparisons with exchanges after a year",
            reconciling.delete_old,
        ),
    ]

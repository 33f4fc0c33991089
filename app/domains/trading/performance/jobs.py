"""The schedules of performance."""

from app.domains.trading.performance.services import PerformanceMeter
from app.kit.jobs import Schedule


def performance_schedules(meter: PerformanceMeter) -> list[Schedule]:
    """What portfolios did, after the values of an hour, and of a day, are recorded."""
    return [
        Schedule("performance", "5 * * * *", "Measures portfolios in days, weeks, months and years", meter.measure),
        Schedule("old-performance", "40 2 * * *", "Deletes the performance of days after 2 years", meter.delete_old),
    ]

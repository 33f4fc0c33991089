"""The schedule of prices."""

from app.domains.market.prices.services.clock_repair import ClockRepair
from app.kit.jobs import Schedule


def clock_repair_schedule(clock_repair: ClockRepair) -> Schedule:
    """The schedule that repairs what a wrong clock has dated in the future."""
    return Schedule(
        "dated-ahead",
        "40 * * * *",
        "Repairs what a wrong clock has dated in the future",
        clock_repair.run,
        runs_at_start=True,
    )

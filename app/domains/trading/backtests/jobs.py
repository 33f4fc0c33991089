"""The jobs and schedules of back-tests."""

from app.domains.trading.backtests.services.backtests import BACKTEST_JOB, Backtests
from app.domains.trading.backtests.services.runner import Runner
from app.kit.jobs import Job, Schedule


def backtest_jobs(runner: Runner) -> list[Job]:
    """What `Backtests` enqueues."""
    return [Job(BACKTEST_JOB, runner.run)]


def backtest_schedules(backtests: Backtests) -> list[Schedule]:
    """What is not kept for ever."""
    return [
        Schedule("old-backtests", "50 3 * * *", "Deletes back-tests and sweeps after 90 days", backtests.delete_old),
    ]

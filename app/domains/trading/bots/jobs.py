"""The jobs of bots."""

from collections.abc import Sequence

from app.domains.trading.bots.services.runner import RUN_JOB, BotRunner
from app.kit.jobs import Job, Schedule


def bot_jobs(runner: BotRunner) -> Sequence[Job]:
    """Running bots at the end of a candle."""
    return [Job(RUN_JOB, runner.run)]


def bot_schedules(runner: BotRunner) -> Sequence[Schedule]:
    """The feed enqueues bots once the candles of a minute are stored. What a process that was killed did not enqueue is
    enqueued by the schedule.
    """
    return [
        Schedule("bots", "* * * * *", "Enqueues bots that have not decided on the last candle", runner.enqueue_due),
    ]

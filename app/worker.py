"""The worker: jobs, schedules, the relay, and the long-running tasks of the houses."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any

from app.domains.system.services import SystemServices
from app.kit.house import jobs_of, schedules_of
from app.kit.jobs import JobRunner, kit_schedules, run_schedule
from app.kit.relay import Relay
from app.kit.tasks import end
from app.main import DOMAINS, check_production, open_application, run_houses
from app.settings import Settings
from app.transport.logging import configure_logging

JOB_PATIENCE_S = 5.0


async def work(settings: Settings) -> None:
    """Runs jobs, schedules, the relay and the tasks of the houses until SIGINT or SIGTERM."""
    configure_logging(settings)
    async with open_application(settings) as application, contextlib.AsyncExitStack() as stack:
        await check_production(application)
        await run_houses(application, stack)
        wiring, database, clock = application.wiring, application.database, application.clock
        services = wiring.services
        schedules = [*kit_schedules(database, clock), *schedules_of(DOMAINS, services)]
        for schedule in schedules:
            if schedule.runs_at_start:
                await run_schedule(database, clock, schedule)
        for house in DOMAINS:
            await house.start(services[house.services])
        tasks = [Relay(database, application.redis).run()]
        for house in DOMAINS:
            tasks += await house.tasks(wiring, services[house.services])
        maintenance = services[SystemServices].cache.maintenance
        runner = JobRunner(database, clock, jobs_of(DOMAINS, services), schedules, maintenance)
        await _until_stopped(runner, tasks)


async def _until_stopped(runner: JobRunner, long_running: list[Coroutine[Any, Any, None]]) -> None:
    """Runs all until a signal arrives or one of them fails: then the others are ended and its error is raised."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    jobs = asyncio.create_task(runner.run())
    tasks = [jobs, *map(asyncio.create_task, long_running)]
    waiting = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        # A job under way may end; everything else is safe to cut off at any point.
        runner.stop()
        await asyncio.wait([jobs], timeout=JOB_PATIENCE_S)
        await end(waiting, *tasks)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome

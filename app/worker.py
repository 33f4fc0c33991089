"""The worker: jobs, schedules, the relay, the price feed, the miner."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

from app.domains.accounts.jobs import accounts_jobs, accounts_schedules
from app.domains.ledger.jobs import ledger_schedules
from app.domains.ledger.loaders import wallet_by_user
from app.domains.ledger.services.miner import Miner
from app.domains.market.jobs import market_jobs, market_schedules, mending_schedule
from app.kit.db import PUBLIC
from app.kit.errors import NotFound
from app.kit.jobs import JobRunner, kit_schedules, partition_schedule, run_schedule
from app.kit.reads import Reads
from app.kit.relay import Relay
from app.kit.tasks import end
from app.kit.volatile import VolatileTopics
from app.main import Application, check_production, open_application
from app.settings import Settings
from app.transport.logging import configure_logging

JOB_PATIENCE_S = 5.0


async def work(settings: Settings) -> None:
    """Runs jobs, schedules, the relay, the price feed and, if a miner is named, the miner, until SIGINT or SIGTERM."""
    configure_logging(settings)
    async with open_application(settings) as application:
        await check_production(application)
        services, database, clock = application.services, application.database, application.clock
        jobs = [*accounts_jobs(services.accounts), *market_jobs(services.market)]
        schedules = [
            *kit_schedules(database, clock),
            *accounts_schedules(services.accounts),
            *ledger_schedules(services.ledger),
            *market_schedules(services.market),
        ]
        # A worker that was off for months must not wait for the night to have partitions to write into.
        await run_schedule(database, clock, partition_schedule(database, clock))
        await run_schedule(database, clock, mending_schedule(services.market))
        await services.market.tokens.ensure()
        runner = JobRunner(database, clock, jobs, schedules)
        beside: list[Coroutine[Any, Any, None]] = [
            Relay(database, application.redis).run(),
            services.market.feed.run(),
        ]
        if settings.miner_email is not None:
            beside.append((await build_miner(application, settings.miner_email)).run())
        await _until_stopped(runner, beside)


async def _until_stopped(runner: JobRunner, beside: list[Coroutine[Any, Any, None]]) -> None:
    """Runs all until a signal comes, or one of them fails: then the others are ended and its error is raised."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    jobs = asyncio.create_task(runner.run())
    tasks = [jobs, *map(asyncio.create_task, beside)]
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


async def build_miner(application: Application, email: str) -> Miner:
    """A miner whose rewards go to this user's wallet; makes the genesis block where there is no chain."""
    ledger = application.services.ledger
    user = await application.services.accounts.users.by_email(email)
    if user is None:
        raise NotFound(f"MONETA_MINER_EMAIL names {email}, but nobody is registered with it.")
    wallet = await Reads(application.database, PUBLIC).one(wallet_by_user, user.id)
    if wallet is None:
        raise NotFound(f"{email} has no wallet.")
    await ledger.chain.ensure_genesis(wallet.wallet_id)
    hashes_per_s = application.settings.mining_hashes_per_s
    return Miner(ledger.chain, wallet.wallet_id, hashes_per_s, VolatileTopics(application.redis))

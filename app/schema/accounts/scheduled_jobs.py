"""Scheduled jobs, as admins see them."""

from datetime import datetime
from typing import Any

import strawberry

from app.domains.accounts.services import AccountsServices
from app.engine.declarations.costs import holds
from app.engine.declarations.nodes import record_type
from app.kit.jobs import MAX_SCHEDULES
from app.kit.jobs import ScheduledJob as ScheduledJobRecord
from app.kit.loaders import Audience
from app.schema.admins import for_admins
from app.schema.context import Info


@record_type(ScheduledJobRecord)
class ScheduledJob:
    """A job that runs at fixed times, and how its last run went. Visible to admins only."""

    job: str = strawberry.field(description="The name of the job.")
    schedule: str = strawberry.field(description="When the job runs, as a cron expression in UTC.")
    next_run: datetime = strawberry.field(name="nextRunAt", description="When the job runs next.")
    started_at: datetime | None = strawberry.field(
        name="lastRunAt", description="When the last run started. Null if the job has not run yet."
    )
    finished_at: datetime | None = strawberry.field(
        name="lastFinishedAt",
        description="When the last run finished. Null if the job is running, or has not run yet.",
    )
    succeeded: bool | None = strawberry.field(
        name="hasSucceeded",
        description="Whether the last run succeeded. Null if the job is running, or has not run yet.",
    )
    detail: str | None = strawberry.field(
        description="What the last run did, or what went wrong. Null if the job is running, or has not run yet."
    )


async def _scheduled_jobs(info: Info) -> Any:
    admin, executor = info.context.require_admin(), await info.context.reads.executor(Audience.VIEWER)
    return await info.context.services[AccountsServices].administration.scheduled_jobs(executor, admin)


@strawberry.type
class ScheduledJobQuery:
    """The scheduled jobs."""

    scheduled_jobs: list[ScheduledJob] = strawberry.field(
        resolver=_scheduled_jobs,
        graphql_type=list[ScheduledJob],
        metadata=holds(MAX_SCHEDULES) | for_admins(),
        description=f"The scheduled jobs by name, each with its last run; at most {MAX_SCHEDULES}. Admins only; the"
        " error code is FORBIDDEN for others.",
    )

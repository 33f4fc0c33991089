"""What admins see and do."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from app.domains.accounts import loaders, model
from app.engine.limits.extra import holds
from app.engine.nodes import key_of, record_type
from app.engine.pages import DEFAULT_FIRST, Connection, page_of
from app.engine.problems import mutation
from app.engine.relations import After, First, page_request
from app.kit.errors import IdempotencyKeyReused, InvalidInput, NotFound
from app.kit.jobs import MAX_SCHEDULES
from app.kit.jobs import ScheduledJob as ScheduledJobRecord
from app.kit.loaders import Audience
from app.schema.accounts import problems as _problems  # noqa: F401  # declares the types that the unions below name
from app.schema.accounts.enums import AccessCodeState
from app.schema.accounts.inputs import AccessCodeFilter, CreateAccessCodesInput, UpdateUserRoleInput, UserFilter
from app.schema.accounts.payloads import CreateAccessCodesPayload, UpdateUserRolePayload
from app.schema.accounts.types import AccessCode, User
from app.schema.context import Info

MAX_EMAIL_PREFIX = 254


@record_type(ScheduledJobRecord, description="Work that is done at fixed times, and how it last went. Admins only.")
class ScheduledJob:
    """Work that is done at fixed times."""

    job: str = strawberry.field(description="Its name.")
    schedule: str = strawberry.field(description="When, as a cron expression in UTC.")
    next_run: datetime = strawberry.field(description="When it is due next.")
    started_at: datetime | None = strawberry.field(
        name="lastRunAt", description="When it last began; null: it has not run yet."
    )
    finished_at: datetime | None = strawberry.field(
        name="lastFinishedAt", description="When it last ended; null: never, or it is running."
    )
    succeeded: bool | None = strawberry.field(description="How it last ended; null: never, or it is running.")
    detail: str | None = strawberry.field(description="What it last did, or what went wrong; null as above.")


async def _access_codes(
    info: Info,
    first: First = DEFAULT_FIRST,
    after: After = None,
    filter: Annotated[AccessCodeFilter | None, strawberry.argument(description="Which; null: all.")] = None,
) -> Any:
    info.context.require_admin()
    state = None if filter is None else filter.state
    redeemed = None if state is None else state is AccessCodeState.REDEEMED
    request = page_request(info.context.cursors, loaders.access_codes, first, after, (redeemed,))
    return await page_of(info.context, loaders.access_codes, None, request)


async def _users(
    info: Info,
    first: First = DEFAULT_FIRST,
    after: After = None,
    filter: Annotated[UserFilter | None, strawberry.argument(description="Which; null: all.")] = None,
) -> Any:
    info.context.require_admin()
    prefix = None if filter is None or filter.email_prefix is None else filter.email_prefix.strip().lower()
    if prefix is not None and (len(prefix) > MAX_EMAIL_PREFIX or not prefix.isprintable()):
        raise InvalidInput("emailPrefix", f"A prefix has at most {MAX_EMAIL_PREFIX} printable characters.")
    request = page_request(info.context.cursors, loaders.users, first, after, (prefix,))
    return await page_of(info.context, loaders.users, None, request)


async def _scheduled_jobs(info: Info) -> Any:
    admin, executor = info.context.require_admin(), await info.context.reads.executor(Audience.VIEWER)
    return await info.context.services.accounts.administration.scheduled_jobs(executor, admin)


@strawberry.type
class AdministrationQuery:
    """What admins see."""

    access_codes: Connection[AccessCode] = strawberry.field(
        resolver=_access_codes,
        graphql_type=Connection[AccessCode],
        description="Access codes, the newest first. Admins only, else FORBIDDEN.",
    )
    users: Connection[User] = strawberry.field(
        resolver=_users,
        graphql_type=Connection[User],
        description="Users, the newest first. Admins only, else FORBIDDEN.",
    )
    scheduled_jobs: list[ScheduledJob] = strawberry.field(
        resolver=_scheduled_jobs,
        graphql_type=list[ScheduledJob],
        metadata=holds(MAX_SCHEDULES),
        description=f"Every scheduled job and what it did last, by name; at most {MAX_SCHEDULES}. Admins only, else"
        " FORBIDDEN.",
    )


@strawberry.type
class AdministrationMutation:
    """What admins do."""

    @mutation(
        CreateAccessCodesPayload,
        InvalidInput,
        IdempotencyKeyReused,
        description="Makes access codes. Admins only, else FORBIDDEN.",
    )
    async def create_access_codes(self, info: Info, input: CreateAccessCodesInput) -> Any:
        """Makes access codes."""
        context = info.context
        viewer = context.require_admin()
        ids = await context.services.accounts.administration.create_access_codes(
            viewer, count=input.count, codes=input.codes, idempotency_key=input.idempotency_key
        )
        codes: Any = [await load for load in [context.reads.one(loaders.access_code_by_id, key) for key in ids]]
        return CreateAccessCodesPayload(access_codes=codes)

    @mutation(
        UpdateUserRolePayload,
        NotFound,
        model.OwnRole,
        description="Gives a user a role and ends their sessions. Admins only, else FORBIDDEN.",
    )
    async def update_user_role(self, info: Info, input: UpdateUserRoleInput) -> Any:
        """Gives a user a role."""
        context = info.context
        viewer = context.require_admin()
        user_id = key_of(input.user_id, "User")
        await context.services.accounts.administration.update_role(viewer, user_id, model.Role[input.role.name])
        user: Any = await context.reads.one(loaders.user_by_id, user_id)
        return UpdateUserRolePayload(user=user)

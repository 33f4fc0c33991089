"""Defining and archiving tasks."""

from decimal import Decimal
from typing import Any

import strawberry

from app.domains.campaigns.services import CampaignsServices
from app.domains.campaigns.tasks import model
from app.engine.declarations.durations import Milliseconds
from app.engine.declarations.nodes import key_of
from app.engine.declarations.problems import InvalidInput, NotFound, Problem, mutation, problem_type
from app.schema.campaigns.project_changes import NAME, ProjectArchived
from app.schema.campaigns.projects import Project
from app.schema.campaigns.tasks import Task, read_task
from app.schema.context import Info
from app.schema.scalars import BigInt, Hash
from app.schema.tenancy.changes import TenantNotActive


@problem_type(model.TaskLimitReached)
class TaskLimitReached(Problem):
    """The project has the maximum number of tasks."""

    limit: int = strawberry.field(description="The maximum number of tasks that are not archived.")


@strawberry.input
class TaskPaymentInput:
    """What is to be paid in Moneta's ledger."""

    wallet_id: Hash = strawberry.field(description="The wallet to pay to.")
    min_amount: Decimal = strawberry.field(
        name="paymentMinAmount", description="The least to pay, in coins: above 0, with up to 8 decimals."
    )


@strawberry.input
class TaskQuizInput:
    """What is to be answered."""

    answer: str = strawberry.field(
        description=f"The answer, 1 to {model.MAX_ANSWER_CHARS} characters. Capitals and spaces around words do not"
        " matter. It is stored as a hash, and never shown."
    )


@strawberry.input
class DefineTaskInput:
    """A task of a project, as it is to be: what is omitted has its default, whatever it was before."""

    project_id: strawberry.ID = strawberry.field(description="The global ID of the project.")
    key: str = strawberry.field(
        name="taskKey",
        description=f"The key of the task in the project: 1 to {model.MAX_KEY_CHARS} lower-case letters, digits,"
        " hyphens and underscores. If there is a task with it, that is changed.",
    )
    name: str = strawberry.field(description=NAME)
    description: str | None = strawberry.field(
        default=None, description="What is to be done, 1 to 10,000 characters. Null: not set."
    )
    points: BigInt = strawberry.field(description=f"What it gives, 0 to {model.MAX_POINTS:,}.")
    max_completions: int | None = strawberry.field(
        default=strawberry.UNSET,
        description=f"How often each participant can complete it, 1 to {model.MAX_COMPLETIONS:,}. Null: without end,"
        " which MANUAL and QUIZ allow only with a cool-down. Omitted: once.",
    )
    cooldown_ms: Milliseconds | None = strawberry.field(
        default=None,
        description="How long after a completion the next one can follow, in milliseconds: whole seconds, up to 366"
        " days. Null: at once.",
    )
    proof_kind: model.ProofKind = strawberry.field(description="What shows that it was completed.")
    payment: TaskPaymentInput | None = strawberry.field(
        default=None, description="What is to be paid. Required if the proof is a PAYMENT, otherwise null."
    )
    quiz: TaskQuizInput | None = strawberry.field(
        default=None,
        description="What is to be answered. Required if the proof becomes a QUIZ. Null: the answer stays as it is."
        " With another answer, everybody can guess anew.",
    )
    active: bool | None = strawberry.field(default=None, description="Whether it can be completed. Null: true.")
    position: int | None = strawberry.field(
        default=None, description=f"Where it is in the list, 0 to {model.MAX_POSITION:,}, the lowest first. Null: 0."
    )

    def new(self) -> model.NewTask:
        """The task as it is to be."""
        seconds, rest = divmod(self.cooldown_ms or 0, 1_000)
        most = 1 if self.max_completions is strawberry.UNSET else self.max_completions
        return model.NewTask(
            key=self.key,
            name=self.name,
            description=self.description,
            points=self.points,
            max_completions=most,
            # Rules refuse it, as they do what is too long.
            cooldown_s=-1 if rest else seconds,
            proof_kind=self.proof_kind,
            payment=None if self.payment is None else model.Payment(self.payment.wallet_id, self.payment.min_amount),
            quiz=None if self.quiz is None else model.Quiz(self.quiz.answer),
            is_active=self.active is not False,
            position=self.position or 0,
        )


@strawberry.input
class ArchiveTaskInput:
    """The task to archive."""

    id: strawberry.ID = strawberry.field(description="The global ID of the task.")


@strawberry.type
class DefineTaskPayload:
    """The task is as it is to be."""

    task: Task = strawberry.field(description="The task as it is now.")


@strawberry.type
class ArchiveTaskPayload:
    """The task was archived, now or before."""

    task: Task = strawberry.field(description="The task as it is now.")


@strawberry.type
class TaskMutation:
    """Changes to tasks, for the owners and admins of a tenant."""

    @mutation(DefineTaskPayload, InvalidInput, NotFound, TenantNotActive, ProjectArchived, TaskLimitReached)
    async def define_task(self, info: Info, input: DefineTaskInput) -> Any:
        """Creates a task, or changes all of the one with its key; one that was archived is there again. For the owners
        and admins of the tenant. The same call again changes nothing.
        """
        tenancy, project_id = info.context.require_tenancy(), key_of(input.project_id, Project)
        id = await info.context.services[CampaignsServices].tasks.define(tenancy, project_id, input.new())
        return DefineTaskPayload(task=await read_task(info.context, id))

    @mutation(ArchiveTaskPayload, NotFound, TenantNotActive, ProjectArchived)
    async def archive_task(self, info: Info, input: ArchiveTaskInput) -> Any:
        """Archives a task: nobody completes it any more, and what it has given stays. For the owners and admins of the
        tenant.
        """
        tenancy, id = info.context.require_tenancy(), key_of(input.id, Task)
        await info.context.services[CampaignsServices].tasks.archive(tenancy, id)
        return ArchiveTaskPayload(task=await read_task(info.context, id))

"""Tasks that participants have completed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry

from app.domains.accounts import loaders as account_loaders
from app.domains.campaigns.participations import loaders as participation_loaders
from app.domains.campaigns.tasks import loaders, model
from app.domains.ledger import loaders as ledger_loaders
from app.engine.declarations.computed import from_parent
from app.engine.declarations.extensions import extension_of
from app.engine.declarations.nodes import Node, key_of, node_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import paged, related
from app.schema.accounts.users import UserAccount
from app.schema.campaigns.participations import NOBODY, Participation
from app.schema.campaigns.projects import Project
from app.schema.campaigns.tasks import Task
from app.schema.context import Context
from app.schema.enums import declare_enum
from app.schema.ledger.transactions import Transaction
from app.schema.scalars import BigInt

declare_enum(
    model.CompletionStatus,
    name="TaskCompletionStatus",
    description="What becomes of a completion.",
    PENDING="Somebody of the tenant is to look at it.",
    ACCEPTED="It has given its points.",
    REJECTED="It gives nothing, and does not count.",
)


@node_type(by=loaders.completion_by_id)
class TaskCompletion(Node):
    """A task that a participant has completed, once. The members of the tenant see it, and the user who is linked to
    the participant.
    """

    task: Task | None = related(
        loaders.task_by_id, key="task_id", description="The task. Null where the viewer does not see the project."
    )
    participation: Participation | None = related(
        participation_loaders.participation_by_id,
        key="participation_id",
        description="Who has completed it. Null if it is removed meanwhile.",
    )
    ordinal: int = strawberry.field(description="The number of the completion: the participant's first one is 1.")
    status: model.CompletionStatus = strawberry.field(description="What becomes of it.")
    points: BigInt = from_parent(
        lambda root: BigInt(root.points),
        graphql_type=BigInt,
        description="What it gives: the points of the task when it was completed.",
    )
    proof: str | None = strawberry.field(
        name="proofText", description="What somebody is to look at. Null unless the proof is MANUAL."
    )
    transaction: Transaction | None = related(
        ledger_loaders.transaction_by_hash,
        key="transaction_hash",
        description="The payment. Null unless the proof is a PAYMENT.",
    )
    created_at: datetime = strawberry.field(description="When it was completed.")
    reviewed_at: datetime | None = strawberry.field(description="When somebody has looked at it. Null: nobody has.")
    reviewed_by: UserAccount | None = related(
        account_loaders.user_by_id, key="reviewed_by", description=f"The member of the tenant who has. {NOBODY}"
    )
    review_note: str | None = strawberry.field(description="What they note of it. Null: nothing.")


@strawberry.input
class ParticipationCompletionFilter:
    """Filters the completions of a participation by all fields that are given. A field that is null or omitted matches
    all.
    """

    task_id: strawberry.ID | None = strawberry.field(default=None, description="The global ID of the task.")

    def conditions(self) -> Mapping[str, Any]:
        """The filters of the loader. Raises NotFound."""
        return {"task_id": None if self.task_id is None else key_of(self.task_id, Task)}


@strawberry.input
class TaskCompletionFilter:
    """Filters completions by all fields that are given. A field that is null or omitted matches all."""

    status: model.CompletionStatus | None = strawberry.field(default=None, description="What becomes of them.")
    task_id: strawberry.ID | None = strawberry.field(default=None, description="The global ID of the task.")

    def conditions(self) -> Mapping[str, Any]:
        """The filters of the loader. Raises NotFound."""
        return {"status": self.status, "task_id": None if self.task_id is None else key_of(self.task_id, Task)}


@extension_of(Participation)
class ParticipationCompletions:
    """What a participant has completed."""

    completions: Connection[TaskCompletion] = paged(
        loaders.completions_by_participation,
        key="id",
        filter=ParticipationCompletionFilter,
        description="The tasks that were completed, newest first.",
    )


@extension_of(Project)
class ProjectCompletions:
    """What was completed in a project."""

    completions: Connection[TaskCompletion] = paged(
        loaders.completions_by_project,
        key="id",
        filter=TaskCompletionFilter,
        description="The tasks that were completed, newest first. Empty unless the request names the tenant.",
    )


async def read_completion(context: Context, id: Any) -> Any:
    """The record of a completion that was just written, for a payload."""
    return await context.reads.one(loaders.completion_by_id, id)

"""The tasks of projects."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry

from app.domains.campaigns.projects import loaders as project_loaders
from app.domains.campaigns.tasks import loaders, model
from app.engine.declarations.computed import from_parent
from app.engine.declarations.durations import Milliseconds, milliseconds_of
from app.engine.declarations.extensions import extension_of
from app.engine.declarations.nodes import Node, node_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import paged, related
from app.schema.campaigns.projects import Project
from app.schema.context import Context
from app.schema.enums import declare_enum
from app.schema.scalars import BigInt, Hash

declare_enum(
    model.ProofKind,
    name="TaskProofKind",
    description="What shows that a task was completed.",
    MANUAL="A text, at which somebody of the tenant looks.",
    API="The tenant says so.",
    PAYMENT="A confirmed transaction of Moneta's ledger, from a wallet of the participant's user.",
    QUIZ="The answer of a quiz.",
)


@node_type(by=loaders.task_by_id)
class Task(Node):
    """Something that a project gives points for. Who sees the project sees its tasks."""

    project: Project | None = related(
        project_loaders.project_by_id, key="project_id", description="The project. Null where it is not seen any more."
    )
    key: str = strawberry.field(name="taskKey", description="Its key, by which the tenant names it in the project.")
    name: str = strawberry.field(description="The name, 1 to 255 characters.")
    description: str | None = strawberry.field(description="What is to be done. Null: not set.")
    points: BigInt = from_parent(
        lambda root: BigInt(root.points), graphql_type=BigInt, description="What it gives, 0 to 1,000,000."
    )
    max_completions: int | None = strawberry.field(
        description="How often each participant can complete it. Null: without end."
    )
    cooldown_ms: Milliseconds = milliseconds_of(
        "cooldown_s", description="How long after a completion the next one can follow, in milliseconds."
    )
    proof_kind: model.ProofKind = strawberry.field(description="What shows that it was completed.")
    payment_wallet_id: Hash | None = strawberry.field(
        description="The wallet to pay to. Null unless the proof is a PAYMENT."
    )
    payment_min_amount: Decimal | None = strawberry.field(
        description="The least to pay, in coins. Null unless the proof is a PAYMENT."
    )
    is_active: bool = strawberry.field(description="Whether it can be completed.")
    position: int = strawberry.field(description="Where it is in the list, the lowest first.")
    created_at: datetime = strawberry.field(description="When it was created.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    archived_at: datetime | None = strawberry.field(description="When it was archived. Null: it was not.")


@strawberry.input
class TaskFilter:
    """Filters tasks by all fields that are given. A field that is null or omitted matches all."""

    active: bool | None = strawberry.field(default=None, description="Whether they can be completed.")
    proof_kind: model.ProofKind | None = strawberry.field(
        default=None, description="What shows that they were completed."
    )

    def conditions(self) -> Mapping[str, Any]:
        """The filters of the loader."""
        return {"active": self.active, "proof_kind": self.proof_kind}


@extension_of(Project)
class ProjectTasks:
    """The tasks of a project."""

    tasks: Connection[Task] = paged(
        loaders.tasks_by_project,
        key="id",
        filter=TaskFilter,
        description=f"What it gives points for, by position: up to {model.MAX_TASKS} that were not archived.",
    )


async def read_task(context: Context, id: Any) -> Any:
    """The record of a task that was just written, for a payload."""
    return await context.reads.one(loaders.task_by_id, id)

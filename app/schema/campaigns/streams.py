"""Projects and who takes part in them, as it happens."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
import strawberry

from app.domains.campaigns.participations import loaders as participation_loaders
from app.domains.campaigns.participations import model
from app.domains.campaigns.projects import loaders as project_loaders
from app.domains.campaigns.projects import model as project_model
from app.domains.campaigns.tasks import loaders as task_loaders
from app.domains.tenancy.tenants import loaders as tenant_loaders
from app.engine.declarations.computed import from_parent
from app.engine.declarations.relations import related
from app.engine.declarations.stream_events import StreamEvent
from app.engine.declarations.subscriptions import durable
from app.kit.errors import NotFound
from app.kit.events import Event
from app.schema.campaigns.completions import TaskCompletion
from app.schema.campaigns.participations import Participation
from app.schema.campaigns.projects import Project
from app.schema.campaigns.tasks import Task
from app.schema.context import Info
from app.schema.enums import declare_enum
from app.schema.scalars import BigInt

ProjectKey = Annotated[str, strawberry.argument(description="The public key of the project.")]

declare_enum(
    project_model.ProjectChange,
    name="ProjectUpdateKind",
    description="What happened to a project.",
    CHANGED="The tenant has changed it, or its levels.",
    ARCHIVED="It was archived.",
    TASK_DEFINED="A task was created or changed.",
    TASK_ARCHIVED="A task was archived.",
    COUNTED="There are more participants or completions, or fewer. At most once a second.",
)
declare_enum(
    model.ParticipationChange,
    name="ParticipationUpdateKind",
    description="What happened to a participation.",
    JOINED="The participant has joined, or joined again.",
    LEFT="They have left.",
    BANNED="They were banned.",
    UNBANNED="Their ban has ended.",
    VERIFICATION="The tenant has decided whether it is verified.",
    COMPLETION="They have completed a task, or a completion was accepted or rejected.",
    POINTS="They were given points, or have lost some.",
    LEVEL="They have another level.",
)


@strawberry.type
class ProjectUpdateEvent(StreamEvent):
    """Something happened to a project."""

    kind: project_model.ProjectChange = strawberry.field(description="What happened.")
    project_id: strawberry.Private[UUID]
    project: Project | None = related(
        project_loaders.project_by_id, key="project_id", description="The project as it is now. Null: it is not seen."
    )
    task_id: strawberry.Private[UUID | None]
    task: Task | None = related(
        task_loaders.task_by_id,
        key="task_id",
        description="The task as it is now. Null unless the kind is TASK_DEFINED or TASK_ARCHIVED.",
    )
    participant_count: int | None = strawberry.field(
        description="The number of participants then. Null unless the kind is COUNTED."
    )
    completion_count: int | None = strawberry.field(
        description="The number of completions that were accepted until then. Null unless the kind is COUNTED."
    )


@strawberry.type
class ParticipationUpdateEvent(StreamEvent):
    """Something happened to a participation. What happens at once is several events."""

    kind: model.ParticipationChange = strawberry.field(description="What happened.")
    participation_id: strawberry.Private[UUID]
    participation: Participation | None = related(
        participation_loaders.participation_by_id,
        key="participation_id",
        description="The participation as it is now. Null if it is no longer stored.",
    )
    fact: strawberry.Private[model.ParticipationFact]
    points: BigInt = from_parent(
        lambda root: BigInt(root.fact.points), graphql_type=BigInt, description="Its points then."
    )
    level: int = strawberry.field(description="Its level then.")
    points_added: BigInt | None = from_parent(
        lambda root: None if root.fact.amount is None else BigInt(root.fact.amount),
        graphql_type=BigInt | None,
        description="How many points were given. Negative if they were lost. Null unless the kind is POINTS.",
    )
    completion_id: strawberry.Private[UUID | None]
    completion: TaskCompletion | None = related(
        task_loaders.completion_by_id,
        key="completion_id",
        description="The completion as it is now. Null unless the kind is COMPLETION.",
    )


def _project_event(event: Event) -> ProjectUpdateEvent | None:
    if event.kind != project_model.PROJECT_UPDATED:
        return None
    fact = msgspec.convert(event.payload, project_model.ProjectFact)
    return ProjectUpdateEvent(
        kind=fact.change,
        project_id=fact.project_id,
        task_id=fact.task_id,
        participant_count=fact.participants,
        completion_count=fact.completions,
    )


def _participation_event(event: Event) -> ParticipationUpdateEvent | None:
    if event.kind != model.PARTICIPATION_CHANGED:
        return None
    fact = msgspec.convert(event.payload, model.ParticipationFact)
    return ParticipationUpdateEvent(
        kind=fact.change,
        participation_id=fact.participation_id,
        fact=fact,
        level=fact.level,
        completion_id=fact.completion_id,
    )


async def _project(info: Info, key: str) -> Any:
    """The record of a project that the caller sees. Raises NotFound."""
    found = await info.context.reads.one(project_loaders.project_by_key, key)
    if found is None:
        raise NotFound(Project)
    return found


@strawberry.type
class CampaignSubscription:
    """Projects and participations."""

    @durable(ProjectUpdateEvent, payload=_project_event, per_s=1.0)
    async def project_updates(self, info: Info, project_key: ProjectKey) -> str:
        """What happens to a project, in order: for everybody while it is public and active, and for the members of its
        tenant, where the request names that. It ends when the project is no longer seen.
        """
        return project_model.project_stream((await _project(info, project_key)).id)

    @durable(ParticipationUpdateEvent, payload=_participation_event, per_s=2.0)
    async def participation_updates(self, info: Info, project_key: ProjectKey) -> str:
        """What happens to those who take part in a project, in order: all of them, for the members of its tenant, where
        the request names that; otherwise the viewer themself, if they have joined.
        """
        project, tenancy = await _project(info, project_key), info.context.tenancy
        if tenancy is not None and (project.tenant_id, project.livemode) == (tenancy.tenant_id, tenancy.livemode):
            # Who has left the tenant since may see the project still: it is public.
            if await info.context.reads.one(tenant_loaders.tenant_by_id, tenancy.tenant_id) is None:
                raise NotFound(Project)
            return model.participation_stream(project.id)
        info.context.require_viewer()
        own = await info.context.reads.one(participation_loaders.own_participation_by_project, project.id)
        if own is None:
            raise NotFound(Participation)
        return model.own_stream(project.id, own.participant_id)

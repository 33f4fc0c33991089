"""Who takes part in which project, as the members of the tenant see it, and the user who takes part."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from app.domains.accounts import loaders as account_loaders
from app.domains.accounts.model import Viewer
from app.domains.campaigns.participants import loaders as participant_loaders
from app.domains.campaigns.participants.model import MAX_ATTRIBUTES, Attribute
from app.domains.campaigns.participations import loaders, model
from app.domains.campaigns.projects import loaders as project_loaders
from app.domains.campaigns.tasks import loaders as task_loaders
from app.domains.tenancy.tenants.model.tenants import Tenancy
from app.engine.declarations.computed import from_parent
from app.engine.declarations.costs import holds
from app.engine.declarations.extensions import extension_of
from app.engine.declarations.lookups import Key, by_id, lookup
from app.engine.declarations.nodes import Node, key_of, node_type, record_type
from app.engine.declarations.orders import order_input
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import paged, related
from app.schema.accounts.users import UserAccount
from app.schema.campaigns.participants import Participant, ParticipantAttribute
from app.schema.campaigns.projects import Project
from app.schema.context import Context
from app.schema.enums import declare_enum
from app.schema.scalars import BigInt

if TYPE_CHECKING:
    from app.schema.campaigns.completions import TaskCompletion

NOBODY = "Null: nobody, a key of the tenant, or a user who is no more."

declare_enum(
    model.ParticipationStatus,
    description="Whether a participant takes part in a project.",
    ACTIVE="They take part.",
    BANNED="The tenant has banned them.",
    LEFT="They have left. They have their points again when they join again.",
)
declare_enum(
    model.VerificationStatus,
    description="Whether a tenant has verified a participation.",
    PENDING="Nothing has been decided.",
    VERIFIED="The tenant has verified it.",
    REJECTED="The tenant has rejected it.",
)
declare_enum(
    model.PointReason,
    description="Why a participant was given points, or lost them.",
    TASK="They have completed a task.",
    BONUS="The tenant has given them more.",
    REFERRAL="They have referred somebody.",
    CORRECTION="The tenant has corrected something.",
)


@node_type(by=loaders.entry_by_id)
class PointEntry(Node):
    """Points that a participant was given, or has lost. Entries are added, and never changed. Of a
    participant who was erased, `note` is `[redacted]`.
    """

    points: BigInt = from_parent(
        lambda root: BigInt(root.amount), graphql_type=BigInt, description="How many. Negative if they were lost."
    )
    total_points: BigInt = from_parent(
        lambda root: BigInt(root.balance), graphql_type=BigInt, description="The points of the participation after it."
    )
    reason: model.PointReason = strawberry.field(name="pointReason", description="Why they were given, or lost.")
    note: str | None = strawberry.field(description="What the tenant notes of it. Null for a task.")
    completion: Annotated["TaskCompletion", strawberry.lazy("app.schema.campaigns.completions")] | None = related(
        task_loaders.completion_by_id, key="completion_id", description="What was completed. Null: no task was."
    )
    created_by: UserAccount | None = related(
        account_loaders.user_by_id,
        key="created_by",
        description=f"The member of the tenant who has given them. {NOBODY} Null for a task as well.",
    )
    created_at: datetime = strawberry.field(description="When they were given, or lost.")


def _data(root: model.Review) -> list[Attribute]:
    return [Attribute(name, value) for name, value in sorted(root.verification_data.items())]


@record_type(model.Review)
class ParticipationReview:
    """What the tenant has decided about a participation, and why."""

    verification_data: list[ParticipantAttribute] = from_parent(
        _data, description="What was verified, by name.", metadata=holds(MAX_ATTRIBUTES)
    )
    verification_note: str | None = strawberry.field(description="What the tenant notes of it. Null: nothing.")
    reviewed_by: UserAccount | None = related(
        account_loaders.user_by_id,
        key="reviewed_by",
        description=f"The member of the tenant who has verified. {NOBODY}",
    )
    reviewed_at: datetime | None = strawberry.field(description="When it was last verified. Null: not yet.")
    ban_reason: str | None = strawberry.field(description="Why the participant is banned. Null: they are not.")
    banned_by: UserAccount | None = related(
        account_loaders.user_by_id, key="banned_by", description=f"The member of the tenant who has banned. {NOBODY}"
    )


@node_type(by=loaders.participation_by_id)
class Participation(Node):
    """A participant's part in a project. The members of the tenant see it, where the request names the tenant, and the
    user who is linked to the participant.
    """

    participant: Participant | None = related(
        participant_loaders.participant_by_id,
        key="participant_id",
        description="Who takes part. Null if they are removed meanwhile.",
    )
    project: Project | None = related(
        project_loaders.project_by_id,
        key="project_id",
        description="The project. Null where the viewer does not see it: it is not public, or not active.",
    )
    status: model.ParticipationStatus = strawberry.field(description="Whether they take part.")
    points: BigInt = from_parent(
        lambda root: BigInt(root.points), graphql_type=BigInt, description="The sum of its point entries, at least 0."
    )
    level: int = strawberry.field(description="The level for these points, 1 to 100.")
    next_level_points: BigInt | None = from_parent(
        lambda root: None if root.next_level_points is None else BigInt(root.next_level_points),
        graphql_type=BigInt | None,
        description="The points from which on they have the next level. Null: there is none.",
    )
    verification_status: model.VerificationStatus = strawberry.field(description="Whether it is verified.")
    review: ParticipationReview | None = related(
        loaders.review_by_participation,
        key="id",
        description="What the tenant has decided about it. Null: nothing yet.",
    )
    point_entries: Connection[PointEntry] = paged(
        loaders.entries_by_participation, key="id", description="What its points come from, newest first."
    )
    joined_at: datetime = strawberry.field(description="When they first joined.")
    left_at: datetime | None = strawberry.field(description="When they left. Null: they have not.")
    banned_at: datetime | None = strawberry.field(description="When they were banned. Null: they are not.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")


@strawberry.input(one_of=True)
class ParticipationBy:
    """Identifies a participation."""

    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="The global ID.")
    project_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The global ID of a project: the viewer's own participation in it."
    )


@strawberry.type
class ParticipationQuery:
    """A single participation."""

    participation: Participation | None = lookup(
        ParticipationBy,
        {
            "id": by_id(Participation, loaders.participation_by_id),
            "project_id": Key(loaders.own_participation_by_project, lambda value: key_of(value, Project)),
        },
        of=Participation,
        argument="Identifies the participation.",
        description="A participation of the tenant that the request names, or of the viewer. Null if there is none.",
    )


@strawberry.input
class ParticipationFilter:
    """Filters participations by all fields that are given. A field that is null or omitted matches all."""

    status: model.ParticipationStatus | None = strawberry.field(default=None, description="Whether they take part.")
    verification_status: model.VerificationStatus | None = strawberry.field(
        default=None, description="Whether they are verified."
    )

    def conditions(self) -> Mapping[str, Any]:
        """The filters of the loader."""
        return {"status": self.status, "verification": self.verification_status}


ParticipationOrderBy = order_input(
    "Participation",
    "Participations that are equal in it are sorted by their IDs.",
    JOINED_AT="When they first joined.",
    POINTS="Their points.",
)


@extension_of(Project)
class ProjectParticipations:
    """Who takes part in a project."""

    participations: Connection[Participation] = paged(
        loaders.participations_by_project,
        key="id",
        stream=model.participation_stream,
        filter=ParticipationFilter,
        order_by=ParticipationOrderBy,
        description="Who takes part, who has left and who is banned, those who joined last first. Empty unless the"
        " request names the tenant.",
    )
    viewer_participation: Participation | None = related(
        loaders.own_participation_by_project,
        key="id",
        description="The viewer's own part in it. Null: none, or nobody is logged in.",
    )


@strawberry.input
class ParticipantParticipationFilter:
    """Filters the participations of a participant by all fields that are given. A field that is null or omitted matches
    all.
    """

    project_id: strawberry.ID | None = strawberry.field(default=None, description="The global ID of the project.")

    def conditions(self) -> Mapping[str, Any]:
        """The filters of the loader. Raises NotFound."""
        return {"project_id": None if self.project_id is None else key_of(self.project_id, Project)}


@extension_of(Participant)
class ParticipantParticipations:
    """What a participant takes part in."""

    participations: Connection[Participation] = paged(
        loaders.participations_by_participant,
        key="id",
        filter=ParticipantParticipationFilter,
        description="What they take part in, those joined last first.",
    )


@strawberry.type
class ParticipationViewer:
    """What the viewer takes part in."""

    participations: Connection[Participation] = paged(
        loaders.participations_by_user,
        key="user_id",
        description="What the viewer takes part in, as any of the participants that they are linked to, those joined"
        " last first. Tests are among it, if a tenant has linked the viewer to a participant for tests, in either mode"
        " of the request: `participant { isLive }` says which.",
    )


def caller_of(context: Context) -> Tenancy | Viewer:
    """Who writes: the tenant that the request names, or the viewer themself. Raises Unauthenticated, NotFound."""
    if context.tenancy is not None or context.tenant_refusal is not None:
        return context.require_tenancy()
    return context.require_viewer()


async def read_participation(context: Context, id: Any) -> Any:
    """The record of a participation that was just written, for a payload."""
    return await context.reads.one(loaders.participation_by_id, id)

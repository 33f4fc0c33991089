"""Giving points, and the levels of projects."""

from typing import Any

import strawberry

from app.domains.campaigns.participations import loaders, model
from app.domains.campaigns.projects.model import MAX_THRESHOLDS
from app.domains.campaigns.services import CampaignsServices
from app.engine.declarations.nodes import key_of
from app.engine.declarations.problems import (
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    Problem,
    ResultDeleted,
    mutation,
    problem_type,
)
from app.schema.campaigns.participant_changes import ParticipantErased
from app.schema.campaigns.participation_changes import ID, NOTE, ProjectNotOpen, shown_participation
from app.schema.campaigns.participations import Participation, PointEntry
from app.schema.campaigns.project_changes import ProjectArchived
from app.schema.campaigns.projects import Project, read_project
from app.schema.context import Info
from app.schema.idempotency import IDEMPOTENCY_KEY
from app.schema.scalars import BigInt
from app.schema.tenancy.changes import TenantNotActive


@problem_type(model.NotEnoughPoints)
class NotEnoughPoints(Problem):
    """More points would be lost than there are."""


@strawberry.input
class AdjustPointsInput:
    """Points to give or to take."""

    participation_id: strawberry.ID = strawberry.field(description=ID)
    amount: BigInt = strawberry.field(
        name="points",
        description=f"How many, from -{model.MAX_ADJUSTMENT:,} to {model.MAX_ADJUSTMENT:,} and not 0. Negative: they"
        " are taken.",
    )
    reason: model.PointReason = strawberry.field(name="pointReason", description="Why: anything but TASK.")
    note: str = strawberry.field(description=f"What there is to say about it, {NOTE} The participant sees it.")
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.input
class SetProjectLevelsInput:
    """The levels of a project."""

    project_id: strawberry.ID = strawberry.field(description="The global ID of the project.")
    thresholds: list[BigInt] = strawberry.field(
        description="The points from which on a participant has level 2, 3 and so on: up to"
        f" {MAX_THRESHOLDS}, each at least 1 and higher than the one before. None: there is one level."
    )


@strawberry.type
class AdjustPointsPayload:
    """The points were given or taken, now or when the idempotency key was first used."""

    entry: PointEntry = strawberry.field(name="pointEntry", description="The entry.")
    participation: Participation = strawberry.field(description="The participation as it is now.")


@strawberry.type
class SetProjectLevelsPayload:
    """The levels of the project were set. Within seconds all participants have the levels for their points."""

    project: Project = strawberry.field(description="The project as it is now.")


@strawberry.type
class PointMutation:
    """Changes to points and levels, for the owners and admins of a tenant."""

    @mutation(
        AdjustPointsPayload,
        InvalidInput,
        NotFound,
        TenantNotActive,
        ProjectNotOpen,
        ParticipantErased,
        NotEnoughPoints,
        ResultDeleted,
        IdempotencyKeyReused,
    )
    async def adjust_points(self, info: Info, input: AdjustPointsInput) -> Any:
        """Gives points to a participation, or takes some. For the owners and admins of its tenant."""
        tenancy, id = info.context.require_tenancy(), key_of(input.participation_id, Participation)
        given = model.Adjustment(input.amount, input.reason, input.note)
        entry_id = await _services(info).points.adjust(tenancy, id, given, input.idempotency_key)
        entry: Any = await info.context.reads.one(loaders.entry_by_id, entry_id)
        return AdjustPointsPayload(entry=entry, participation=await shown_participation(info, id))

    @mutation(SetProjectLevelsPayload, InvalidInput, NotFound, TenantNotActive, ProjectArchived)
    async def set_project_levels(self, info: Info, input: SetProjectLevelsInput) -> Any:
        """Sets the levels of a project. For the owners and admins of its tenant."""
        tenancy, id = info.context.require_tenancy(), key_of(input.project_id, Project)
        await _services(info).points.set_levels(tenancy, id, input.thresholds)
        return SetProjectLevelsPayload(project=await read_project(info.context, id))


def _services(info: Info) -> CampaignsServices:
    return info.context.services[CampaignsServices]

"""Joining and leaving projects, bans, and verification."""

from typing import Any

import strawberry

from app.domains.campaigns.participants.model import Attribute
from app.domains.campaigns.participations import model
from app.domains.campaigns.services import CampaignsServices
from app.engine.declarations.costs import holds
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
from app.kit import errors
from app.schema.campaigns.participant_changes import ParticipantAttributeInput, ParticipantErased
from app.schema.campaigns.participants import Participant
from app.schema.campaigns.participations import Participation, caller_of, read_participation
from app.schema.context import Info
from app.schema.enums import declare_enum
from app.schema.idempotency import IDEMPOTENCY_KEY
from app.schema.tenancy.changes import TenantNotActive

ID = "The global ID of the participation."
NOTE = f"1 to {model.MAX_NOTE_CHARS:,} characters."

declare_enum(
    model.Closed,
    name="ProjectClosedReason",
    description="Why nobody can take part in a project now.",
    ARCHIVED="It was archived.",
    PAUSED="It is not active, or its tenant is not.",
    NOT_STARTED="It starts later.",
    ENDED="It has ended.",
)
declare_enum(
    model.Requirement,
    name="ProjectRequirement",
    description="What a project requires of participants.",
    VERIFIED="The tenant has verified who they are.",
    WALLET="They have proven a wallet in the network of the token. In INTERNAL: a user is linked to them.",
    ACCOUNT_AGE="They, or the user who is linked to them, have existed for long enough.",
    COUNTRY="Their attribute `country` is one of the countries of the project.",
)


@problem_type(model.ProjectNotOpen)
class ProjectNotOpen(Problem):
    """Nobody can take part in the project now."""

    closed: model.Closed = strawberry.field(name="closedReason", description="Why not.")


@problem_type(model.ProjectFull)
class ProjectFull(Problem):
    """The project has as many participants as it can have."""

    limit: int = strawberry.field(description="How many can take part.")


@problem_type(model.RequirementsNotMet)
class RequirementsNotMet(Problem):
    """The participant does not meet what the project requires."""

    requirements: list[model.Requirement] = strawberry.field(
        name="unmetRequirements", description="What they do not meet.", metadata=holds(len(model.Requirement))
    )


@problem_type(model.AlreadyJoined)
class AlreadyJoined(Problem):
    """The participant takes part in the project already."""


@problem_type(model.ParticipantBanned)
class ParticipantBanned(Problem):
    """The participant is banned from the project."""


@problem_type(model.ParticipantInactive)
class ParticipantInactive(Problem):
    """The tenant has set that the participant cannot take part."""


@problem_type(model.NotTakingPart)
class NotTakingPart(Problem):
    """The participant has left the project."""


@problem_type(model.NotBanned)
class NotBanned(Problem):
    """The participant is not banned from the project."""


@strawberry.input
class JoinProjectInput:
    """The project to join, and who joins."""

    project_key: str = strawberry.field(description="The public key of the project.")
    participant_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The global ID of the participant of the tenant that the request names. Null: the viewer joins, as"
        " the participant of the tenant that they are linked to, who is created if there is none.",
    )
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.input
class LeaveProjectInput:
    """The participation to end."""

    participation_id: strawberry.ID = strawberry.field(description=ID)
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.input
class BanParticipantInput:
    """The participation to end by a ban."""

    participation_id: strawberry.ID = strawberry.field(description=ID)
    reason: str = strawberry.field(name="banReason", description=f"Why, {NOTE} The participant sees it.")
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.input
class UnbanParticipantInput:
    """The ban to end."""

    participation_id: strawberry.ID = strawberry.field(description=ID)
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.input
class VerifyParticipationInput:
    """What the tenant decides about a participation, in place of what it has decided before."""

    participation_id: strawberry.ID = strawberry.field(description=ID)
    status: model.VerificationStatus = strawberry.field(name="verificationStatus", description="The decision.")
    data: list[ParticipantAttributeInput] | None = strawberry.field(
        name="verificationData",
        default=None,
        description="What was verified: up to 50, each with a name of its own. Only members of the tenant and the"
        " participant see it. Null: nothing.",
    )
    note: str | None = strawberry.field(
        default=None, description=f"What there is to say about it, {NOTE} The participant sees it. Null: nothing."
    )
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.type
class JoinProjectPayload:
    """The participant takes part, since now or since the idempotency key was first used."""

    participation: Participation = strawberry.field(description="The participation as it is now.")


@strawberry.type
class LeaveProjectPayload:
    """The participant has left. Their points stay."""

    participation: Participation = strawberry.field(description="The participation as it is now.")


@strawberry.type
class BanParticipantPayload:
    """The participant is banned from the project. Their points stay."""

    participation: Participation = strawberry.field(description="The participation as it is now.")


@strawberry.type
class UnbanParticipantPayload:
    """The ban has ended."""

    participation: Participation = strawberry.field(description="The participation as it is now.")


@strawberry.type
class VerifyParticipationPayload:
    """The decision was noted."""

    participation: Participation = strawberry.field(description="The participation as it is now.")


@strawberry.type
class ParticipationMutation:
    """Changes to participations."""

    @mutation(
        JoinProjectPayload,
        InvalidInput,
        NotFound,
        TenantNotActive,
        ProjectNotOpen,
        ProjectFull,
        RequirementsNotMet,
        AlreadyJoined,
        ParticipantBanned,
        ParticipantInactive,
        ResultDeleted,
        IdempotencyKeyReused,
    )
    async def join_project(self, info: Info, input: JoinProjectInput) -> Any:
        """Lets a participant join a project: the viewer a public one, or any participant of the tenant that the request
        names, by its owners and admins. Who had left has their points again.
        """
        context, named = info.context, input.participant_id
        by = context.require_viewer() if named is None else context.require_tenancy()
        participant_id = None if named is None else key_of(named, Participant)
        id = await _services(info).joining.join(by, input.project_key, participant_id, input.idempotency_key)
        return JoinProjectPayload(participation=await shown_participation(info, id))

    @mutation(
        LeaveProjectPayload,
        InvalidInput,
        NotFound,
        TenantNotActive,
        NotTakingPart,
        ParticipantBanned,
        ResultDeleted,
        IdempotencyKeyReused,
    )
    async def leave_project(self, info: Info, input: LeaveProjectInput) -> Any:
        """Ends a participation: the viewer's own, or one of the tenant that the request names, by its owners and
        admins. There is room for another participant then.
        """
        by, id = caller_of(info.context), key_of(input.participation_id, Participation)
        await _services(info).participations.leave(by, id, input.idempotency_key)
        return LeaveProjectPayload(participation=await shown_participation(info, id))

    @mutation(
        BanParticipantPayload,
        InvalidInput,
        NotFound,
        TenantNotActive,
        ParticipantErased,
        ParticipantBanned,
        ResultDeleted,
        IdempotencyKeyReused,
    )
    async def ban_participant(self, info: Info, input: BanParticipantInput) -> Any:
        """Bans a participant from a project. For the owners and admins of its tenant."""
        tenancy, id = info.context.require_tenancy(), key_of(input.participation_id, Participation)
        await _services(info).participations.ban(tenancy, id, input.reason, input.idempotency_key)
        return BanParticipantPayload(participation=await shown_participation(info, id))

    @mutation(
        UnbanParticipantPayload,
        InvalidInput,
        NotFound,
        TenantNotActive,
        NotBanned,
        ProjectFull,
        ResultDeleted,
        IdempotencyKeyReused,
    )
    async def unban_participant(self, info: Info, input: UnbanParticipantInput) -> Any:
        """Ends a ban: who took part before it takes part again, and who had left has left. For the owners and admins of
        the tenant.
        """
        tenancy, id = info.context.require_tenancy(), key_of(input.participation_id, Participation)
        await _services(info).joining.unban(tenancy, id, input.idempotency_key)
        return UnbanParticipantPayload(participation=await shown_participation(info, id))

    @mutation(
        VerifyParticipationPayload,
        InvalidInput,
        NotFound,
        TenantNotActive,
        ParticipantErased,
        ResultDeleted,
        IdempotencyKeyReused,
    )
    async def verify_participation(self, info: Info, input: VerifyParticipationInput) -> Any:
        """Notes what the tenant has decided about a participation, as often as need be. For its owners and admins."""
        tenancy, id = info.context.require_tenancy(), key_of(input.participation_id, Participation)
        data = tuple(Attribute(each.name, each.value) for each in input.data or [])
        given = model.Verification(input.status, data, input.note)
        await _services(info).participations.verify(tenancy, id, given, input.idempotency_key)
        return VerifyParticipationPayload(participation=await shown_participation(info, id))


async def shown_participation(info: Info, id: Any) -> Any:
    """The participation that was written. Raises ResultDeleted."""
    if (found := await read_participation(info.context, id)) is None:
        raise errors.ResultDeleted
    return found


def _services(info: Info) -> CampaignsServices:
    return info.context.services[CampaignsServices]

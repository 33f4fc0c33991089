"""Erasing participants, and unlinking users from them."""

from typing import Any

import strawberry

from app.domains.campaigns.participants import model
from app.domains.campaigns.services import CampaignsServices
from app.engine.declarations.nodes import key_of
from app.engine.declarations.problems import NotFound, Problem, mutation, problem_type
from app.schema.campaigns.participants import Participant, read_participant
from app.schema.context import Info
from app.schema.tenancy.changes import TenantNotActive


@problem_type(model.NotLinked)
class ParticipantNotLinked(Problem):
    """The participant is linked to no user."""


@strawberry.input
class EraseParticipantInput:
    """The participant to erase."""

    id: strawberry.ID = strawberry.field(description="The global ID of the participant.")


@strawberry.input
class UnlinkParticipantInput:
    """The participant to unlink."""

    participant_id: strawberry.ID = strawberry.field(description="The global ID of the participant.")


@strawberry.type
class EraseParticipantPayload:
    """The participant is erased."""

    participant: Participant = strawberry.field(description="The participant as they are now.")


@strawberry.type
class UnlinkParticipantPayload:
    """The participant is linked to no user any more."""

    participant: Participant | None = strawberry.field(
        description="The participant as they are now. Null where the caller sees them no more, who was linked to them."
    )


@strawberry.type
class ErasureMutation:
    """Ends of what is known of participants."""

    @mutation(EraseParticipantPayload, NotFound, TenantNotActive)
    async def erase_participant(self, info: Info, input: EraseParticipantInput) -> Any:
        """Erases a participant for good: IDs, names, addresses, attributes, wallets, code and user, also in the audit
        log. What they have taken part in still counts. Files of the tenant that may name them are deleted, so uploads
        have to be sent again, and exports asked for again. For the owners and admins of its tenant; to erase again
        changes nothing.
        """
        context = info.context
        tenancy, id = context.require_tenancy(), key_of(input.id, Participant)
        await _services(info).erasure.erase(tenancy, id)
        return EraseParticipantPayload(participant=await read_participant(context, id))

    @mutation(UnlinkParticipantPayload, NotFound, TenantNotActive, ParticipantNotLinked)
    async def unlink_participant(self, info: Info, input: UnlinkParticipantInput) -> Any:
        """Unlinks the user of a participant: for the owners and admins of the tenant that the request names, or, where
        it names none, for the user who is linked.
        """
        context, links, id = info.context, _services(info).links, key_of(input.participant_id, Participant)
        if context.tenancy is None and context.tenant_refusal is None:
            await links.unlink_self(context.require_viewer(), id)
        else:
            await links.unlink(context.require_tenancy(), id)
        return UnlinkParticipantPayload(participant=await read_participant(context, id))


def _services(info: Info) -> CampaignsServices:
    return info.context.services[CampaignsServices]

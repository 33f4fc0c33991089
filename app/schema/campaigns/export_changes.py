"""Asking for exports of participants, and cancelling them."""

from typing import Any

import strawberry

from app.domains.campaigns.exports import model
from app.domains.campaigns.exports.services.exports import Exports
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
from app.kit import errors
from app.schema.campaigns.exports import ParticipantExport, read_export
from app.schema.campaigns.import_changes import TooManyTransfers
from app.schema.context import Info
from app.schema.idempotency import IDEMPOTENCY_KEY


@problem_type(model.ExportNotRunning)
class ParticipantExportNotRunning(Problem):
    """The export has ended."""


@strawberry.input
class ExportedParticipantFilter:
    """Filters the participants to export by all fields that are given. A field that is null or omitted matches all."""

    verified: bool | None = strawberry.field(default=None, description="Whether they are verified.")
    active: bool | None = strawberry.field(default=None, description="Whether they can take part.")


@strawberry.input
class ExportParticipantsInput:
    """The export to begin, of participants of the tenant that the request names."""

    filter: ExportedParticipantFilter | None = strawberry.field(
        default=None, description="Which participants. Null: all of them."
    )
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.input
class CancelParticipantExportInput:
    """The export to cancel."""

    id: strawberry.ID = strawberry.field(description="The global ID of the export.")


@strawberry.type
class ExportParticipantsPayload:
    """The export is asked for, now or when the idempotency key was first used."""

    participant_export: ParticipantExport = strawberry.field(description="The export as it is now.")


@strawberry.type
class CancelParticipantExportPayload:
    """The export was cancelled."""

    participant_export: ParticipantExport = strawberry.field(description="The export as it is now.")


@strawberry.type
class ExportMutation:
    """Exports of participants, for the owners and admins of a tenant."""

    @mutation(ExportParticipantsPayload, InvalidInput, TooManyTransfers, ResultDeleted, IdempotencyKeyReused)
    async def export_participants(self, info: Info, input: ExportParticipantsInput) -> Any:
        """Asks for a file with the participants of the tenant that the request names: the real ones or those for tests,
        as it acts. A worker writes it. Who is created or changed meanwhile may be in it or not. A referrer whom the
        filter leaves out is named all the same. For the owners and admins of the tenant, whatever its subscription
        allows.
        """
        chosen = input.filter or ExportedParticipantFilter()
        given = model.ExportFilter(chosen.verified, chosen.active)
        id = await _exports(info).start(info.context.require_tenancy(), input.idempotency_key, given)
        if (made := await read_export(info.context, id)) is None:
            raise errors.ResultDeleted
        return ExportParticipantsPayload(participant_export=made)

    @mutation(CancelParticipantExportPayload, NotFound, ParticipantExportNotRunning)
    async def cancel_participant_export(self, info: Info, input: CancelParticipantExportInput) -> Any:
        """Cancels an export that waits or runs. For the owners and admins of its tenant."""
        tenancy, id = info.context.require_tenancy(), key_of(input.id, ParticipantExport)
        await _exports(info).cancel(tenancy, id)
        return CancelParticipantExportPayload(participant_export=await read_export(info.context, id))


def _exports(info: Info) -> Exports:
    return info.context.services[CampaignsServices].exports

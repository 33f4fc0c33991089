"""Tracking what happens in projects."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from app.domains.campaigns.analytics import model
from app.domains.campaigns.services import CampaignsServices
from app.engine.declarations.nodes import key_of
from app.engine.declarations.problems import IdempotencyKeyReused, InvalidInput, NotFound, mutation
from app.schema.campaigns.analytics import TYPE
from app.schema.campaigns.participant_changes import ParticipantErased
from app.schema.campaigns.participants import Participant
from app.schema.campaigns.project_changes import ProjectArchived
from app.schema.campaigns.projects import Project, ProjectBy, read_project
from app.schema.context import Info
from app.schema.idempotency import IDEMPOTENCY_KEY
from app.schema.tenancy.changes import TenantNotActive

_DATA = (
    f"an object of at most {model.MAX_DATA_KEYS} fields, {model.MAX_DATA_BYTES:,} bytes and {model.MAX_DATA_DEPTH}"
    " levels. Null: nothing."
)


@strawberry.input
class ProjectEventInput:
    """Something that happened in a project."""

    type: str = strawberry.field(description=TYPE)
    name: str = strawberry.field(description=f"The name, 1 to {model.MAX_NAME_CHARS} characters.")
    participant_id: strawberry.ID | None = strawberry.field(
        default=None, description="The global ID of the participant that it is about. Null: nobody."
    )
    properties: JSON | None = strawberry.field(default=None, description=f"What else to know of it: {_DATA}")
    user_properties: JSON | None = strawberry.field(
        default=None, description=f"What is known of the participant at that time: {_DATA}"
    )
    session_id: str | None = strawberry.field(
        name="clientSession",
        default=None,
        description=f"The tenant's own name of a visit: 1 to {model.MAX_SESSION_CHARS} characters. Null: none.",
    )
    ip_address: str | None = strawberry.field(
        default=None, description="The IP address of the participant, which is kept for 90 days. Null: not known."
    )
    user_agent: str | None = strawberry.field(
        default=None,
        description=f"The user agent of the participant, 1 to {model.MAX_AGENT_CHARS} characters, which is kept for 90"
        " days. Null: not known.",
    )
    occurred_at: datetime | None = strawberry.field(
        default=None, description=f"When it happened, at most {model.MAX_AGE.days} days ago. Null: now."
    )

    def new(self) -> model.NewEvent:
        """The event to track. Raises NotFound."""
        who = self.participant_id
        given = vars(self) | {"participant_id": None if who is None else key_of(who, Participant)}
        return model.NewEvent(**given)


@strawberry.input
class TrackProjectEventInput:
    """The events to track."""

    by: ProjectBy = strawberry.field(description="The project in which they happened.")
    events: list[ProjectEventInput] = strawberry.field(
        description=f"The events, 1 to {model.MAX_BATCH}: all of them are recorded, or none."
    )
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)

    def ref(self) -> model.ProjectRef:
        """Which project is meant. Raises NotFound."""
        if self.by.id:
            return model.ProjectRef(id=key_of(self.by.id, Project))
        return model.ProjectRef(key=self.by.key or "")


@strawberry.type
class TrackProjectEventPayload:
    """The events were recorded, now or when the idempotency key was first used."""

    project: Project | None = strawberry.field(description="The project as it is now. Null if it is removed meanwhile.")
    tracked: int = strawberry.field(name="trackedCount", description="The number of events.")


@strawberry.type
class ProjectEventMutation:
    """Tracking of what happens in projects."""

    @mutation(
        TrackProjectEventPayload,
        InvalidInput,
        NotFound,
        TenantNotActive,
        ProjectArchived,
        ParticipantErased,
        IdempotencyKeyReused,
    )
    async def track_project_event(self, info: Info, input: TrackProjectEventInput) -> Any:
        """Records what happened in a project. For the owners and admins of its tenant. What Moneta itself does there,
        such as that a participant joined, it records itself.
        """
        tenancy, project = info.context.require_tenancy(), input.ref()
        events = [each.new() for each in input.events[: model.MAX_BATCH + 1]]
        tracked = await info.context.services[CampaignsServices].events.track(
            tenancy, project, events, input.idempotency_key
        )
        found = await read_project(info.context, tracked.project_id)
        return TrackProjectEventPayload(project=found, tracked=tracked.events)

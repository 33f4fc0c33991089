"""What users do: events that clients track, what is known of the viewer, and counts for admins."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from app.domains.trading.analytics import loaders, model
from app.domains.trading.services import TradingServices
from app.engine.declarations.computed import from_parent
from app.engine.declarations.nodes import record_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.problems import IdempotencyKeyReused, InvalidInput, RateLimited, mutation
from app.engine.declarations.relations import paged
from app.schema.admins import admins_only
from app.schema.context import Info
from app.schema.enums import declare_enum
from app.schema.idempotency import IDEMPOTENCY_KEY

TYPE = "1 to 64 lower-case letters, digits and `_` `.`, beginning with a letter."
CLIENT_SESSION = "The client's own name of a visit: 1 to 64 letters, digits and `_` `.` `:` `-`."

declare_enum(
    model.Source,
    name="AnalyticsSource",
    description="Who recorded an event.",
    CLIENT="A client, by `trackEvent`.",
    SERVER="Moneta itself, when it did something for the user.",
)


def _data(root: model.AnalyticsEvent) -> Any:
    return root.given_data


@record_type(model.AnalyticsEvent)
class AnalyticsEvent:
    """Something that the viewer did. Kept for two years, by whole months. Visible to the viewer only."""

    event_type: str = strawberry.field(name="type", description=f"The type: {TYPE}")
    data: JSON = from_parent(_data, description="What else is known of it, an object.")
    session_id: str | None = strawberry.field(
        name="clientSession", description="The client's own name of a visit. Null if it gave none."
    )
    source: model.Source = strawberry.field(description="Who recorded it.")
    ip_address: str | None = strawberry.field(
        description="The IP address of the client. Null if unknown, and after 90 days."
    )
    user_agent: str | None = strawberry.field(
        description="The user agent of the client. Null if it sent none, and after 90 days."
    )
    created_at: datetime = strawberry.field(description="When it was recorded, by the server's time.")


@strawberry.input
class AnalyticsEventFilter:
    """Filters events by all fields that are given. A field that is null or omitted matches all."""

    type: str | None = strawberry.field(default=None, description="The type of the event.")
    since: datetime | None = strawberry.field(default=None, description="Recorded at this time or later.")
    until: datetime | None = strawberry.field(default=None, description="Recorded before this time.")


@record_type(model.AnalyticsCount)
class AnalyticsCount:
    """How often a type of event happened on a day. Kept for ever: it names nobody. Visible to admins only."""

    day: datetime = strawberry.field(name="startedAt", description="When the day began, in UTC.")
    event_type: str = strawberry.field(name="type", description="The type of the events.")
    source: model.Source = strawberry.field(description="Who recorded them.")
    events: int = strawberry.field(name="eventCount", description="The number of events.")
    users: int = strawberry.field(name="userCount", description="The number of users who did it.")


@strawberry.input
class AnalyticsCountFilter:
    """Filters counts by all fields that are given. A field that is null or omitted matches all."""

    type: str | None = strawberry.field(default=None, description="The type of the events.")
    since: datetime | None = strawberry.field(default=None, description="Of days that began at this time or later.")
    until: datetime | None = strawberry.field(default=None, description="Of days that began before this time.")


@strawberry.input
class TrackEventInput:
    """The event to track."""

    type: str = strawberry.field(description=TYPE)
    data: JSON | None = strawberry.field(
        default=None,
        description="What else to know of it: an object of at most 64 fields, 4,096 bytes and 5 levels. Null: nothing.",
    )
    client_session: str | None = strawberry.field(default=None, description=f"{CLIENT_SESSION} Null: none.")
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.type
class TrackEventPayload:
    """The event was accepted, now or when the idempotency key was first used."""

    is_recorded: bool = strawberry.field(
        description="Whether the event was recorded. False if the viewer had opted out (`Profile.isAnalyticsEnabled`)."
    )


@strawberry.type
class AnalyticsMutation:
    """Tracking of events."""

    @mutation(TrackEventPayload, InvalidInput, RateLimited, IdempotencyKeyReused)
    async def track_event(self, info: Info, input: TrackEventInput) -> Any:
        """Records something that the viewer did, unless they opted out; `updateProfile` does that. The time, the IP
        address and the user agent are those of the request.
        """
        viewer = info.context.require_viewer()
        event = model.NewEvent(type=input.type, data=input.data, client_session=input.client_session)
        recorded = await info.context.services[TradingServices].analytics.track(viewer, event, input.idempotency_key)
        return TrackEventPayload(is_recorded=recorded)


@strawberry.type
class AnalyticsViewer:
    """What is known of the viewer."""

    analytics_events: Connection[AnalyticsEvent] = paged(
        loaders.analytics_events_by_user,
        key="user_id",
        filter=AnalyticsEventFilter,
        description="What is recorded of what the viewer did, newest first.",
    )


@strawberry.type
class AnalyticsQuery:
    """What is known of all users together."""

    analytics_summary: Connection[AnalyticsCount] = paged(
        loaders.analytics_counts,
        filter=AnalyticsCountFilter,
        allowed=admins_only,
        description="How often the 200 most frequent types of events happened on each day, newest day first, counted"
        " each hour. Admins only; the error code is FORBIDDEN for others.",
    )

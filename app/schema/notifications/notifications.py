"""Notifications, and the streams that tell them."""

from datetime import datetime
from decimal import Decimal
from enum import Enum

import strawberry

from app.domains.market.alerts import loaders as alert_loaders
from app.domains.market.alerts.model import AlertType
from app.domains.market.tokens import loaders as token_loaders
from app.domains.notifications import loaders as notification_loaders
from app.domains.notifications.model import NOTIFICATION_CREATED, created_of, notification_stream
from app.engine.cursors import Cursor
from app.engine.nodes import Node, node_type
from app.engine.relations import related
from app.engine.streams.declaring import durable
from app.kit.events import Event
from app.schema.context import Info
from app.schema.market.alerts import Alert
from app.schema.market.tokens import Token

PRICE_ALERTS = {AlertType.PRICE_ABOVE, AlertType.PRICE_BELOW}


@strawberry.enum
class NotificationType(Enum):
    """What a notification is about."""

    ALERT = strawberry.enum_value("alert", description="An alert of the viewer's has fired.")
    SYSTEM = strawberry.enum_value("system", description="Moneta has something to say.")


@node_type(
    by=notification_loaders.notification_by_id,
)
class Notification(Node):
    """Something that the viewer was told. Kept for 6 months. Only theirs to see."""

    type: NotificationType = strawberry.field(description="What it is about.")
    title: str = strawberry.field(description="In a line of at most 200 characters.")
    message: str = strawberry.field(description="At most 2,000 characters; empty: the title says it all.")
    value: Decimal | None = strawberry.field(
        description="What was measured when the alert fired, in the unit of its threshold; null unless one did."
    )
    read: bool = strawberry.field(description="Whether the viewer has read it.")
    read_at: datetime | None = strawberry.field(description="When it was marked as read; null: not yet.")
    created_at: datetime = strawberry.field(description="When it was made.")
    alert: Alert | None = related(
        alert_loaders.alert_by_id,
        key="alert_id",
        description="The alert that fired; null: none did, or it has been deleted.",
    )
    token: Token | None = related(
        token_loaders.token_by_symbol, key="symbol", description="The token that it is about; null: none."
    )


@strawberry.type
class NotificationEvent:
    """The viewer was told something."""

    cursor: Cursor = strawberry.field(description="Place in the stream of the viewer's notifications.")
    notification_id: strawberry.Private[object]
    notification: Notification = related(
        notification_loaders.notification_by_id, key="notification_id", description="The notification as it stands now."
    )


@strawberry.type
class PriceAlertEvent:
    """An alert of the viewer's on a price has fired."""

    cursor: Cursor = strawberry.field(description="Place in the stream of the viewer's notifications.")
    price: Decimal = strawberry.field(description="The price that made it fire, in dollars.")
    triggered_at: datetime = strawberry.field(description="When it fired.")
    alert_id: strawberry.Private[object]
    alert: Alert | None = related(
        alert_loaders.alert_by_id, key="alert_id", description="The alert as it stands now; null: it has been deleted."
    )
    notification_id: strawberry.Private[object]
    notification: Notification = related(
        notification_loaders.notification_by_id,
        key="notification_id",
        description="What the viewer was told, as it stands now.",
    )


def _notification_event(event: Event, cursor: Cursor) -> NotificationEvent | None:
    if event.kind != NOTIFICATION_CREATED:
        return None
    return NotificationEvent(cursor=cursor, notification_id=created_of(event.payload).id)


def _price_alert_event(event: Event, cursor: Cursor) -> PriceAlertEvent | None:
    if event.kind != NOTIFICATION_CREATED:
        return None
    created = created_of(event.payload)
    if created.alert_type not in PRICE_ALERTS or created.value is None:
        return None
    return PriceAlertEvent(
        cursor=cursor,
        price=created.value,
        triggered_at=created.created_at,
        alert_id=created.alert_id,
        notification_id=created.id,
    )


@strawberry.type
class NotificationStreams:
    """What tells the viewer something."""

    @durable(
        NotificationEvent,
        payload=_notification_event,
        per_s=0.5,
    )
    async def notifications(self, info: Info) -> str:
        """What the viewer is told, as it is, in order."""
        return notification_stream(info.context.require_viewer().user_id)

    @durable(
        PriceAlertEvent,
        payload=_price_alert_event,
        per_s=0.5,
    )
    async def price_alerts(self, info: Info) -> str:
        """The viewer's alerts on prices, PRICE_ABOVE and PRICE_BELOW, as they fire, in order."""
        return notification_stream(info.context.require_viewer().user_id)

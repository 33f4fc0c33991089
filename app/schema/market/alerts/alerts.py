"""The viewer's alerts."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import strawberry

from app.domains.market.alerts import loaders as alert_loaders
from app.domains.market.alerts import model
from app.domains.market.alerts.model import MAX_COOLDOWN_S, Rearm
from app.domains.market.services import MarketServices
from app.domains.market.tokens import loaders as token_loaders
from app.domains.market.tokens.model import symbol_of
from app.domains.notifications import loaders as notification_loaders
from app.domains.notifications.model import NOTIFICATION_CREATED, notification_stream
from app.engine.declarations.computed import from_parent
from app.engine.declarations.durations import SECOND, Milliseconds, milliseconds_of, number_of
from app.engine.declarations.extensions import extension_of
from app.engine.declarations.nodes import Node, key_of, node_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.patches import changeable, changes_of
from app.engine.declarations.problems import (
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    Problem,
    ResultDeleted,
    mutation,
    problem_type,
)
from app.engine.declarations.relations import paged, related
from app.engine.declarations.stream_events import StreamEvent
from app.engine.declarations.subscriptions import durable
from app.kit.events import Event
from app.schema.context import Info
from app.schema.enums import declare_enum
from app.schema.idempotency import IDEMPOTENCY_KEY
from app.schema.market.alerts.conditions import AlertCondition, AlertConditionInput, AlertType
from app.schema.market.tokens import Token, TokenNotFound
from app.schema.market.updates import update_of
from app.schema.notifications.notifications import Notification

PRICE_ALERTS = {AlertType.PRICE_ABOVE, AlertType.PRICE_BELOW}
MAY_FIRE = "Whether the alert may fire, apart from its expiry and its cooldown."
ARMED = "An alert is armed when it is created, changed, or enabled again."
COOLDOWN = (
    f"The cooldown in milliseconds, 1,000 to {1000 * MAX_COOLDOWN_S:,} and a multiple of 1,000. Required with"
    " AFTER_COOLDOWN, and not allowed otherwise."
)
EXPIRES = "When the alert stops firing. It is deleted within a day. Null: never."

declare_enum(
    Rearm,
    name="AlertRearm",
    description="When an alert that has fired may fire again.",
    ONCE="After its owner has armed it again.",
    EVERY_TIME="Whenever its condition is met again.",
    AFTER_COOLDOWN="When its condition is met after a cooldown. What happens during the cooldown is ignored.",
)


def _condition(root: model.Alert) -> model.Condition:
    return root.condition


@node_type(by=alert_loaders.alert_by_id)
class Alert(Node):
    """An alert of the viewer. Visible to the viewer only."""

    token: Token = related(token_loaders.token_by_symbol, key="symbol", description="The token.")
    alert_type: AlertType = strawberry.field(name="type", description="The type of the condition.")
    condition: AlertCondition = from_parent(_condition, graphql_type=AlertCondition, description="The condition.")
    rearm: Rearm = strawberry.field(description="When the alert may fire again.")
    cooldown_ms: Milliseconds | None = milliseconds_of(
        "cooldown_s", description="The cooldown in milliseconds. Null unless `rearm` is AFTER_COOLDOWN."
    )
    enabled: bool = strawberry.field(name="isEnabled", description="Whether the alert is enabled.")
    triggered: bool = strawberry.field(
        name="isTriggered", description="Whether the alert has fired since it was armed. " + ARMED
    )
    is_armed: bool = strawberry.field(description=MAY_FIRE)
    trigger_count: int = strawberry.field(description="How often the alert has fired since it was armed.")
    triggered_at: datetime | None = strawberry.field(
        description="When the alert last fired. Null if it has not fired since it was armed."
    )
    current_value: Decimal | None = strawberry.field(
        description="The value measured when the alert last fired, in the unit of its threshold. Null if it has not"
        " fired since it was armed."
    )
    armed_at: datetime = strawberry.field(description="When the alert was last armed. " + ARMED)
    expires_at: datetime | None = strawberry.field(description=EXPIRES)
    created_at: datetime = strawberry.field(description="When the alert was created.")


@problem_type(model.AlertLimitReached)
class AlertLimitReached(Problem):
    """The viewer has the maximum number of alerts, including those that have fired."""

    limit: int = strawberry.field(description="The maximum number of alerts.")


@strawberry.input
class CreateAlertInput:
    """An alert to create."""

    symbol: str = strawberry.field(description="The token's symbol, in any case.")
    condition: AlertConditionInput = strawberry.field(description="The condition.")
    rearm: Rearm | None = strawberry.field(default=None, description="When the alert may fire again. Null: ONCE.")
    cooldown_ms: Milliseconds | None = strawberry.field(default=None, description=COOLDOWN)
    enabled: bool | None = strawberry.field(default=None, description="Whether the alert is enabled. Null: true.")
    expires_at: datetime | None = strawberry.field(default=None, description=EXPIRES)
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.input
class UpdateAlertInput:
    """Changes to an alert. Fields that are omitted stay unchanged. An alert that is enabled afterwards is armed again
    and counts as not fired. A disabled alert keeps its state.
    """

    id: strawberry.ID = strawberry.field(description="The alert's global id.")
    condition: AlertConditionInput | None = changeable(description="The new condition, of the same type. Not null.")
    rearm: Rearm | None = changeable(
        description="When the alert may fire again. Not null. Anything but AFTER_COOLDOWN clears the cooldown."
    )
    cooldown_ms: Milliseconds | None = changeable(description=COOLDOWN)
    enabled: bool | None = changeable(description="Whether the alert is enabled. Not null.")
    expires_at: datetime | None = changeable(description=EXPIRES)

    def changes(self) -> model.AlertChanges:
        """What changes."""
        return changes_of(
            self,
            model.AlertChanges,
            condition=("condition", AlertConditionInput.condition),
            cooldown_s=("cooldown_ms", _cooldown_s),
        )


@strawberry.input
class DeleteAlertInput:
    """The alert to delete."""

    id: strawberry.ID = strawberry.field(description="The alert's global id.")


@strawberry.type
class CreateAlertPayload:
    """The alert was created, now or when the idempotency key was first used."""

    alert: Alert = strawberry.field(description="The alert as it is now.")


@strawberry.type
class UpdateAlertPayload:
    """The alert was changed."""

    alert: Alert = strawberry.field(description="The alert as it is now.")


@strawberry.type
class DeleteAlertPayload:
    """The alert was deleted. Its notifications are kept."""

    deleted_id: strawberry.ID = strawberry.field(description="The global id of the deleted alert.")


def _cooldown_s(value: int) -> int:
    return number_of(SECOND, value)


@strawberry.type
class AlertMutation:
    """Changes to alerts."""

    @mutation(CreateAlertPayload, InvalidInput, TokenNotFound, AlertLimitReached, ResultDeleted, IdempotencyKeyReused)
    async def create_alert(self, info: Info, input: CreateAlertInput) -> Any:
        """Creates an alert. If it is enabled, it is armed at once."""
        new = model.NewAlert(
            symbol=input.symbol,
            condition=input.condition.condition(),
            rearm=input.rearm or Rearm.ONCE,
            cooldown_s=None if input.cooldown_ms is None else _cooldown_s(input.cooldown_ms),
            enabled=input.enabled is not False,
            expires_at=input.expires_at,
        )
        alert: Any = await info.context.services[MarketServices].alerts.create(
            info.context.require_viewer(), new, input.idempotency_key
        )
        return CreateAlertPayload(alert=alert)

    @mutation(UpdateAlertPayload, InvalidInput, NotFound)
    async def update_alert(self, info: Info, input: UpdateAlertInput) -> Any:
        """Changes an alert, and arms it again. An alert of which nothing is changed stays as it is."""
        alert: Any = await info.context.services[MarketServices].alerts.update(
            info.context.require_viewer(), key_of(input.id, Alert), input.changes()
        )
        return UpdateAlertPayload(alert=alert)

    @mutation(DeleteAlertPayload, NotFound)
    async def delete_alert(self, info: Info, input: DeleteAlertInput) -> Any:
        """Deletes an alert."""
        await info.context.services[MarketServices].alerts.delete(
            info.context.require_viewer(), key_of(input.id, Alert)
        )
        return DeleteAlertPayload(deleted_id=input.id)


@extension_of(Notification)
class AlertNotification:
    """What the notification is about."""

    alert: Alert | None = related(
        alert_loaders.alert_by_id,
        key="alert_id",
        description="The alert that fired. Null if there is none, or if it was deleted.",
    )
    token: Token | None = related(
        token_loaders.token_by_symbol, key="symbol", description="The token of the alert. Null if there is none."
    )


@strawberry.type
class PriceAlertEvent(StreamEvent):
    """An alert of the viewer on a price has fired."""

    price_usd: Decimal = strawberry.field(description="The price that fired the alert, in dollars.")
    triggered_at: datetime = strawberry.field(description="When the alert fired.")
    alert_id: strawberry.Private[object]
    alert: Alert | None = related(
        alert_loaders.alert_by_id, key="alert_id", description="The alert as it is now. Null if it was deleted."
    )
    notification_id: strawberry.Private[object]
    notification: Notification = related(
        notification_loaders.notification_by_id, key="notification_id", description="The notification as it is now."
    )


def _price_alert_event(event: Event) -> PriceAlertEvent | None:
    if event.kind != NOTIFICATION_CREATED:
        return None
    fired = model.alert_fired_of(event.payload)
    if fired is None or fired.alert_type not in PRICE_ALERTS:
        return None
    return PriceAlertEvent(
        price_usd=fired.value,
        triggered_at=fired.created_at,
        alert_id=fired.alert_id,
        notification_id=fired.id,
    )


declare_enum(
    model.AlertChange,
    name="AlertUpdateKind",
    description="What happened to an alert.",
    CREATED="The alert was created.",
    CHANGED="The viewer changed the alert.",
    FIRED="The alert fired.",
    DELETED="The alert was deleted, by the viewer or because it had expired.",
)


@strawberry.type
class AlertUpdateEvent(StreamEvent):
    """An alert of the viewer was created, changed or deleted, or it fired."""

    kind: model.AlertChange = strawberry.field(description="What happened to the alert.")
    alert_id: strawberry.Private[UUID]
    alert: Alert | None = related(
        alert_loaders.alert_by_id, key="alert_id", description="The alert as it is now. Null if it was deleted."
    )
    deleted_id: strawberry.ID | None = strawberry.field(
        description="The global ID of the deleted alert. Null unless the kind is DELETED."
    )


def _alert_update_event(event: Event) -> AlertUpdateEvent | None:
    update = update_of(event, model.AlertChange.DELETED, Alert)
    return update and AlertUpdateEvent(kind=update.kind, alert_id=update.id, deleted_id=update.deleted_id)


@strawberry.type
class AlertSubscription:
    """Changes of alerts, and alerts as they fire."""

    @durable(AlertUpdateEvent, payload=_alert_update_event, per_s=0.5)
    async def alert_updates(self, info: Info) -> str:
        """The viewer's alerts as they are created, changed, fire or are deleted, in order."""
        return model.alert_stream(info.context.require_viewer().user_id)

    @durable(PriceAlertEvent, payload=_price_alert_event, per_s=0.5)
    async def price_alerts(self, info: Info) -> str:
        """The viewer's alerts of the types PRICE_ABOVE and PRICE_BELOW as they fire, in order."""
        return notification_stream(info.context.require_viewer().user_id)


@strawberry.input
class AlertFilter:
    """Filters alerts by all fields that are given. A field that is null or omitted matches all."""

    symbol: str | None = strawberry.field(default=None, description="The token's symbol, in any case.")
    type: AlertType | None = strawberry.field(default=None, description="The type of the condition.")
    armed: bool | None = strawberry.field(default=None, description=MAY_FIRE)
    triggered: bool | None = strawberry.field(
        default=None, description="Whether the alert has fired since it was armed."
    )

    def conditions(self) -> dict[str, Any]:
        """The filters of the loader."""
        return vars(self) | {"symbol": None if self.symbol is None else symbol_of(self.symbol)}


@strawberry.type
class AlertViewer:
    """The viewer's alerts."""

    alerts: Connection[Alert] = paged(
        alert_loaders.alerts_by_user,
        key="user_id",
        stream=model.alert_stream,
        filter=AlertFilter,
        description="The viewer's alerts, including fired and disabled ones, newest first.",
    )

"""What the market adds to the viewer."""

from typing import Annotated, Any

import strawberry

from app.domains.market.alerts import loaders as alert_loaders
from app.domains.market.tokens.model import symbol_of
from app.domains.market.watchlist import loaders as watchlist_loaders
from app.domains.notifications import loaders as notification_loaders
from app.domains.notifications.model import notification_stream
from app.engine.pages import DEFAULT_FIRST, Connection, PageSource, page_of
from app.engine.relations import STREAM_CURSOR, After, First, page_request, paged, selects
from app.schema.context import Info
from app.schema.market.alerts import Alert, AlertType
from app.schema.market.notifications import Notification, NotificationType
from app.schema.market.notifying import UNREAD, unread_count
from app.schema.market.watchlist import WatchlistItem


@strawberry.input
class AlertFilter:
    """Which alerts. What is left out, or null, lets all through."""

    symbol: str | None = strawberry.field(default=None, description="On this token, by its symbol in any case.")
    type: AlertType | None = strawberry.field(default=None, description="Of this type.")
    armed: bool | None = strawberry.field(
        default=None, description="True: those that may fire, but for expiry and cooldown; false: the others."
    )


@strawberry.input
class NotificationFilter:
    """Which notifications. What is left out, or null, lets all through."""

    unread: bool = strawberry.field(default=False, description="Whether to leave out what the viewer has read.")
    type: NotificationType | None = strawberry.field(default=None, description="Of this type.")


async def _alerts(
    root: Any,
    info: Info,
    first: First = DEFAULT_FIRST,
    after: After = None,
    filter: Annotated[AlertFilter | None, strawberry.argument(description="Which ones; null: all.")] = None,
) -> PageSource:
    chosen = filter or AlertFilter()
    symbol = None if chosen.symbol is None else symbol_of(chosen.symbol)
    kind = None if chosen.type is None else chosen.type.value
    request = page_request(
        info.context.cursors, alert_loaders.alerts_by_user, first, after, (symbol, kind, chosen.armed)
    )
    return await page_of(info.context, alert_loaders.alerts_by_user, root.user_id, request)


async def _notifications(
    root: Any,
    info: Info,
    first: First = DEFAULT_FIRST,
    after: After = None,
    filter: Annotated[NotificationFilter | None, strawberry.argument(description="Which ones; null: all.")] = None,
) -> PageSource:
    chosen = filter or NotificationFilter()
    loader = (
        notification_loaders.unread_notifications_by_user
        if chosen.unread
        else notification_loaders.notifications_by_user
    )
    kind = None if chosen.type is None else chosen.type.value
    request = page_request(info.context.cursors, loader, first, after, (kind,))
    stream = notification_stream(root.user_id) if selects(info._raw_info, STREAM_CURSOR) else None
    return await page_of(info.context, loader, root.user_id, request, stream)


async def _unread_count(info: Info) -> int:
    return await unread_count(info)


@strawberry.type
class MarketViewer:
    """The viewer in the market."""

    watchlist: Connection[WatchlistItem] = paged(
        watchlist_loaders.watchlist_by_user,
        key="user_id",
        description="Tokens that the viewer watches, in the viewer's order.",
    )
    alerts: Connection[Alert] = strawberry.field(  # type: ignore[assignment]  # as in engine.pages
        resolver=_alerts,
        graphql_type=Connection[Alert],
        description="What the viewer waits for, fired and disabled alerts included, the newest first.",
    )
    notifications: Connection[Notification] = strawberry.field(  # type: ignore[assignment]
        resolver=_notifications,
        graphql_type=Connection[Notification],
        description="What the viewer was told in the last 6 months, the newest first.",
    )
    unread_notification_count: int = strawberry.field(resolver=_unread_count, description=UNREAD)

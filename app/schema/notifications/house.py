"""The house of notifications in the graph."""

from app.domains.notifications.house import NOTIFICATIONS as DOMAIN
from app.engine.declarations.key_scopes import NEVER
from app.schema.composition import GraphHouse
from app.schema.notifications.notifications import (
    Notification,
    NotificationMutation,
    NotificationSubscription,
    NotificationViewer,
)

NOTIFICATIONS = GraphHouse(
    domain=DOMAIN,
    mutation=(NotificationMutation,),
    subscription=(NotificationSubscription,),
    viewer=(NotificationViewer,),
    nodes=(Notification,),
    key_scopes={
        "*": NEVER,
    },
)

"""The house of open subscriptions, and of the pulse of the system, in the graph."""

from app.engine.declarations.key_scopes import NEVER, PUBLIC
from app.schema.composition import GraphHouse
from app.schema.realtime.pulse import PulseSubscription
from app.schema.realtime.subscriptions import SubscriptionMutation, SubscriptionViewer

REALTIME = GraphHouse(
    domain=None,
    mutation=(SubscriptionMutation,),
    subscription=(PulseSubscription,),
    viewer=(SubscriptionViewer,),
    key_scopes={
        "*": NEVER,
        "pulse": PUBLIC,
    },
)

"""The house of open subscriptions in the graph."""

from app.schema.composition import GraphHouse
from app.schema.realtime.subscriptions import SubscriptionMutation, SubscriptionViewer

REALTIME = GraphHouse(
    domain=None,
    mutation=(SubscriptionMutation,),
    viewer=(SubscriptionViewer,),
)

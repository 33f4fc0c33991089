"""What can be watched of the market."""

import strawberry

from app.schema.market.analysing import AnalysisStreams
from app.schema.market.notifications import NotificationStreams


@strawberry.type(description="What can be watched of the market.")
class MarketSubscription(AnalysisStreams, NotificationStreams):
    """What can be watched of the market."""

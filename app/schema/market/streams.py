"""What can be watched of the market."""

import strawberry

from app.schema.market.analysing import AnalysisStreams
from app.schema.market.notifications import NotificationStreams
from app.schema.market.ticking import PriceStreams


@strawberry.type
class MarketSubscription(PriceStreams, AnalysisStreams, NotificationStreams):
    """What can be watched of the market."""

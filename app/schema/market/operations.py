"""What can be asked of the market, and done."""

import strawberry

from app.schema.market.alerting import AlertingMutation
from app.schema.market.analysing import AnalysingQuery
from app.schema.market.finding import FindingQuery
from app.schema.market.news import NewsQuery
from app.schema.market.notifying import NotifyingMutation
from app.schema.market.publishing import PublishingMutation
from app.schema.market.sources import SourcesQuery
from app.schema.market.watching import WatchingMutation


@strawberry.type
class MarketQuery(AnalysingQuery, FindingQuery, NewsQuery, SourcesQuery):
    """What can be read of the market."""


@strawberry.type
class MarketMutation(AlertingMutation, NotifyingMutation, PublishingMutation, WatchingMutation):
    """What can be done in the market."""

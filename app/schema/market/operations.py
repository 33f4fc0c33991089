"""What can be asked of the market, and done."""

import strawberry

from app.schema.market.finding import FindingQuery


@strawberry.type(description="What can be read of the market.")
class MarketQuery(FindingQuery):
    """What can be read of the market."""

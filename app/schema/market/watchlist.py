"""Watched tokens."""

from datetime import datetime

import strawberry

from app.domains.market.tokens import loaders as token_loaders
from app.domains.market.watchlist import loaders as watchlist_loaders
from app.engine.nodes import Node, node_type
from app.engine.relations import related
from app.schema.market.tokens import Token

NOTES = "At most 2,000 characters."


@node_type(by=watchlist_loaders.watchlist_item_by_id)
class WatchlistItem(Node):
    """A token that the viewer watches. Only theirs to see."""

    token: Token = related(token_loaders.token_by_symbol, key="symbol", description="The token.")
    notes: str | None = strawberry.field(description="What the viewer noted about it; null: nothing. " + NOTES)
    position: int = strawberry.field(description="Its place in the list: 0 is the first, and there are no gaps.")
    added_at: datetime = strawberry.field(description="When it was added.")
    last_viewed_at: datetime | None = strawberry.field(description="When the viewer last looked at it; null: not yet.")

"""What the market adds to the viewer."""

import strawberry

from app.domains.market import loaders
from app.engine.pages import Connection
from app.engine.relations import paged
from app.schema.market.watchlist import WatchlistItem


@strawberry.type(description="The viewer in the market.")
class MarketViewer:
    """The viewer in the market."""

    watchlist: Connection[WatchlistItem] = paged(
        loaders.watchlist_by_user, key="user_id", description="Tokens that the viewer watches, in the viewer's order."
    )

"""The loaders of watchlists, which only their owner can read."""

from app.domains.market.watchlist.statements import WatchlistSql
from app.kit.lists import by, contains, equals
from app.kit.loaders import Audience, many, one, page

watchlist_item_by_id = one(WatchlistSql.watchlist_items_by_ids, key="id", audience=Audience.VIEWER)
watchlist_by_user = page(
    WatchlistSql.watchlist_by_user,
    orders={"POSITION": by("rank")},
    filters={"search": contains("notes"), "symbol": equals("symbol")},
    audience=Audience.VIEWER,
)
watched_symbols = many(WatchlistSql.watched_symbols, audience=Audience.VIEWER)

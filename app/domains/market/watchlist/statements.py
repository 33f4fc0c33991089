"""The statements about watchlists."""

from app.domains.market.watchlist.model import AddedItem, RankGap, WatchedSymbol, WatchlistItem
from app.kit.sql import Command, Keyed, Query, Rows, Statements


class WatchlistSql(Statements, file="watchlist.sql"):
    """The statements about watchlists."""

    watchlist_items_by_ids: Query[WatchlistItem]
    watchlist_by_user: Rows[WatchlistItem]
    watched_symbols: Keyed[WatchedSymbol]
    lock_watchlist: Command
    insert_watchlist_item: Query[AddedItem]
    watchlist_item: Query[WatchlistItem]
    update_watchlist_item: Command
    rank_gap: Query[RankGap]
    renumber_watchlist: Command
    delete_watchlist_item: Command

"""The statements about watchlist."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from app.domains.market.watchlist.model import WatchedSymbol, WatchlistItem
from app.kit.sql import Command, Keyed, Query, Statements


class WatchlistSql(Statements, file="watchlist.sql"):
    """The statements about watchlists."""

    watchlist_items_by_ids: Query[WatchlistItem]
    watchlist_by_user: Keyed[WatchlistItem]
    watchlist_by_user_count: Keyed[int]
    watched_symbols: Keyed[WatchedSymbol]
    lock_watchlist: Command
    insert_watchlist_item: Query[tuple[UUID, bool]]
    watchlist_item: Query[tuple[UUID, UUID, str, str, int, datetime, datetime, Decimal]]
    update_watchlist_item: Command
    watchlist_place: Query[tuple[Decimal, Decimal, Decimal, Decimal]]
    spread_watchlist: Command
    delete_watchlist_item: Command

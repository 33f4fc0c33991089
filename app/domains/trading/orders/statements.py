"""The statements about orders and their fills."""

from app.domains.trading.orders.model import Fill, MarketHalt, Order, TradeHistoryEntry, UserHalt
from app.kit.sql import Keyed, Query, Rows, Statements


class OrderReadSql(Statements, file="orders_read.sql"):
    """What their owner reads of orders and fills, and everybody of halts."""

    orders_by_ids: Query[Order]
    orders_by_client_keys: Query[Order]
    orders_by_brackets: Keyed[Order]
    orders_by_portfolio: Rows[Order]
    open_orders_by_user: Rows[Order]
    fills_by_ids: Query[Fill]
    fills_by_order: Rows[Fill]
    fills_by_portfolio: Rows[Fill]
    trades_by_portfolio: Rows[TradeHistoryEntry]
    halts: Rows[MarketHalt]
    halts_by_users: Query[UserHalt]


class InboxSql(Statements, file="inbox.sql"):
    """What the exchange is asked."""

    cancel_portfolio: Query[int]

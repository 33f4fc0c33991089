"""The statements about orders, their fills, halts and books."""

from decimal import Decimal
from uuid import UUID

from app.domains.trading.orders.model import Fill, MarketHalt, Order, TradeHistoryEntry, UserHalt
from app.domains.trading.orders.rules.books import RestingOrder, StoredBook
from app.domains.trading.orders.rules.seals import BrokenSeal, SealExtent
from app.domains.trading.orders.rules.terms import MarketTerms, OrderToChange
from app.domains.trading.portfolios.model import LockedPortfolio
from app.kit.sql import Command, Keyed, Query, Rows, Statements


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


class OrderSql(Statements, file="orders.sql"):
    """The statements about orders."""

    market_terms: Query[MarketTerms]
    place_orders: Command
    place_live_order: Command
    change_live_order: Query[bool]
    open_live_orders: Query[UUID]
    cancel_order: Query[str]
    cancel_orders: Query[int]
    portfolio_of_order: Query[UUID]
    visible_orders: Query[int]
    order_to_change: Query[OrderToChange]
    change_order: Command
    readable_portfolio: Query[LockedPortfolio]


class HaltSql(Statements, file="halts.sql"):
    """The statements about halts."""

    insert_halt: Query[bool]
    delete_halt: Query[bool]
    is_market_halted: Query[bool]
    cancel_live_orders: Command
    ask_market: Command


class OrderBookSql(Statements, file="order_books.sql"):
    """The statements about books."""

    stored_book: Query[StoredBook]
    bids: Query[tuple[Decimal, Decimal]]
    asks: Query[tuple[Decimal, Decimal]]
    resting_buys: Query[RestingOrder]
    resting_sells: Query[RestingOrder]


class MaintenanceSql(Statements, file="maintenance.sql"):
    """The statements of what is done at fixed times."""

    note_tokens: Command
    delist_tokens: Query[str]
    relist_tokens: Query[str]
    close_again: Query[UUID]
    delete_old_orders: Command
    delete_done_commands: Command


class SealSql(Statements, file="seals.sql"):
    """The statements about the seals of changes."""

    seal: Query[int]
    seal_extent: Query[SealExtent]
    broken_seal: Query[BrokenSeal]

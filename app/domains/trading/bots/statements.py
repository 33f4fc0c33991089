"""The statements about bots, their signals and entries."""

from uuid import UUID

from app.domains.trading.bots.model import (
    Bot,
    BotEntry,
    BotPerformance,
    BotState,
    ChangedSignal,
    DueBot,
    HeldEntry,
    LockedBot,
    Signal,
    TradedBot,
)
from app.domains.trading.orders.model import Order
from app.kit.sql import Command, Keyed, Query, Rows, Statements


class BotSql(Statements, file="bots.sql"):
    """What a user reads and changes of bots."""

    bots_by_ids: Query[Bot]
    bots_by_user: Rows[Bot]
    states_by_bots: Keyed[BotState]
    signals_by_ids: Query[Signal]
    signals_by_bot: Rows[Signal]
    entries_by_bot: Rows[BotEntry]
    orders_by_bot: Rows[Order]
    performance_of_bots: Query[BotPerformance]
    lock_bots_of: Command
    count_bots: Query[int]
    insert_bot: Query[UUID]
    lock_bot: Query[LockedBot]
    update_bot: Command
    forget_states: Command
    set_status: Command
    delete_bot: Command
    without_candles: Query[str]
    listed_symbols: Query[str]


class RunSql(Statements, file="running.sql"):
    """What bots decide by, and what becomes of it."""

    due_bot_ids: Query[UUID]
    due_bots: Query[DueBot]
    held_entries: Query[HeldEntry]
    active_bot: Query[bool]
    decide: Query[tuple[UUID, str]]
    insert_signals: Command
    insert_entries: Command
    note_exits: Query[ChangedSignal]
    insert_exit: Command
    open_stops: Query[UUID]
    abandon_entries: Query[ChangedSignal]
    settle_entries: Query[UUID]
    settle_signals: Query[ChangedSignal]
    bots_of_entries: Query[TradedBot]

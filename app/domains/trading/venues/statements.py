"""The statements about accounts at exchanges, and about what is sent there."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from app.domains.trading.exchanges.model import ExchangeAccount
from app.domains.trading.venues.model import (
    AskedReconciliation,
    BooksOfAccount,
    ConnectingTerms,
    Difference,
    DueOrder,
    KnownTrade,
    OpenAccount,
    Reconciliation,
    SealedCredentials,
    SentNow,
    SentRow,
    VenueOrder,
    VenueTrade,
)
from app.kit.data_checks import CounterDifference, Mended
from app.kit.sql import Command, Query, Rows, Statements


class AccountSql(Statements, file="accounts.sql"):
    """The statements about accounts."""

    accounts_by_ids: Query[ExchangeAccount]
    accounts_by_user: Rows[ExchangeAccount]
    lock_accounts_of_user: Command
    terms_of_connecting: Query[ConnectingTerms]
    insert_account: Command
    lock_account: Query[str]
    live_portfolio_of_account: Query[UUID]
    disconnect_account: Command
    cancel_orders_of_account: Command
    end_account: Command
    credentials_of_account: Query[SealedCredentials]
    note_reached: Command
    note_unreachable: Command
    open_accounts: Query[OpenAccount]
    has_account: Query[bool]
    credentials_to_rewrap: Query[SealedCredentials]
    rewrap_credentials: Command


class SendingSql(Statements, file="sending.sql"):
    """The statements about what is sent."""

    lead: Query[int]
    lock_epoch: Query[int]
    due_orders: Query[DueOrder]
    lock_portfolio_of: Query[UUID]
    begin_sending: Query[bool]
    take_back: Command
    mark_open: Command
    note_look_up: Command
    note_missing: Command
    note_cancel: Query[UUID]
    cursor: Query[datetime]
    put_cursor: Command


class SettlingSql(Statements, file="settling.sql"):
    """The statements about what was traded."""

    by_exchange_orders: Query[tuple[UUID, str]]
    sent_to_settle: Query[SentRow]
    known_trades: Query[KnownTrade]
    insert_trades: Command
    put_sent: Command
    release_held: Command
    prices_of: Query[tuple[str, Decimal]]
    revive: Query[UUID]
    is_free: Query[bool]


class ReconcilingSql(Statements, file="reconciling.sql"):
    """The statements about comparisons."""

    ask: Query[UUID]
    ask_all: Query[UUID]
    asked: Query[AskedReconciliation]
    note_attempt: Command
    finish: Command
    insert_differences: Command
    books: Query[BooksOfAccount]
    version_of_books: Query[str]
    sent_now: Query[SentNow]
    given_up: Query[UUID]
    markets_of_account: Query[str]
    trades_since: Query[KnownTrade]
    delete_old_reports: Command
    reconciliations_by_account: Rows[Reconciliation]
    reconciliations_by_ids: Query[Reconciliation]
    differences_by_reconciliation: Rows[Difference]


class VenueReadSql(Statements, file="venue_orders_read.sql"):
    """What their owner reads of orders at exchanges."""

    venue_orders_by_orders: Query[VenueOrder]
    venue_trades_by_fills: Query[VenueTrade]


class ComparisonCountSql(Statements, file="counters.sql"):
    """What comparisons count, and what they should."""

    differing_comparisons: Query[CounterDifference]
    lock_comparisons: Command
    mend_comparisons: Query[Mended]

"""The statements about portfolios and their values."""

from decimal import Decimal
from uuid import UUID

from app.domains.trading.portfolios.model import (
    CashBalance,
    Finding,
    Holding,
    LockedPortfolio,
    Portfolio,
    PortfolioSummary,
    Position,
    TradingBalances,
    ValuePoint,
)
from app.kit.sql import Command, Keyed, Query, Rows, Statements


class PortfolioSql(Statements, file="portfolios.sql"):
    """The statements about portfolios."""

    portfolios_by_ids: Query[Portfolio]
    portfolios_by_accounts: Query[Portfolio]
    portfolios_by_user: Rows[Portfolio]
    default_portfolios: Query[Portfolio]
    balances_by_portfolios: Query[CashBalance]
    positions_by_portfolio: Rows[Position]
    holdings_by_portfolios: Keyed[Holding]
    versions_of_holdings: Query[tuple[UUID, UUID | None, str]]
    balances_by_users: Query[TradingBalances]
    lock_user: Command
    lock_portfolios: Query[UUID]
    count_portfolios: Query[int]
    others_stay: Query[bool]
    account_for_portfolio: Query[tuple[str, UUID | None]]
    join_account: Command
    insert_portfolio: Query[UUID]
    lock_portfolio: Query[LockedPortfolio]
    lock_closing: Query[LockedPortfolio]
    held_quantities: Query[tuple[str, Decimal]]
    rename_portfolio: Command
    clear_default: Command
    set_default: Command
    set_oldest_default: Command
    set_status: Command
    begin_life: Command
    delete_portfolio: Command


class ValueSql(Statements, file="values.sql"):
    """The statements about values."""

    value_points: Rows[ValuePoint]
    record_values: Command
    record_flow: Command
    delete_old_values: Command
    summarize: Command
    delete_empty_summaries: Command
    summaries_by_users: Query[PortfolioSummary]


class BooksSql(Statements, file="books.sql"):
    """The comparisons of `doctor books`: each returns what does not agree."""

    counts: Query[tuple[int, int, int]]
    unbalanced_entries: Query[Finding]
    misplaced_lines: Query[Finding]
    wrong_balances: Query[Finding]
    wrong_positions: Query[Finding]
    wrong_lots: Query[Finding]
    wrong_disposals: Query[Finding]
    wrong_lives: Query[Finding]
    wrong_reservations: Query[Finding]
    wrong_fills: Query[Finding]

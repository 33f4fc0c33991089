"""The statements about back-tests and sweeps."""

from app.domains.market.prices.model import Candle
from app.domains.trading.backtests.model import Backtest, BacktestSweep, BacktestTrade, Span, SweepRun
from app.kit.sql import Command, Query, Rows, Statements


class BacktestReadSql(Statements, file="backtests_read.sql"):
    """What their owner reads."""

    backtests_by_ids: Query[Backtest]
    backtests_by_user: Rows[Backtest]
    trades_by_backtest: Rows[BacktestTrade]
    sweeps_by_ids: Query[BacktestSweep]
    sweeps_by_user: Rows[BacktestSweep]
    runs_by_sweep: Rows[SweepRun]


class BacktestSql(Statements, file="backtests.sql"):
    """What becomes of them."""

    stored_span: Query[Span]
    stored_candles: Query[Candle]
    lock_backtests_of: Command
    count_unfinished: Query[int]
    tier_of: Query[str]
    insert_backtest: Command
    insert_sweep: Command
    begin_backtest: Query[int]
    begin_sweep: Query[int]
    is_backtest_running: Query[bool]
    is_sweep_running: Query[bool]
    note_backtest_progress: Query[bool]
    note_sweep_progress: Query[bool]
    complete_backtest: Query[bool]
    insert_trades: Command
    complete_sweep: Query[bool]
    insert_runs: Command
    end_backtest: Query[tuple[int, int]]
    end_sweep: Query[tuple[int, int]]
    is_backtest_of: Query[bool]
    is_sweep_of: Query[bool]
    delete_old_backtests: Query[int]
    delete_old_sweeps: Query[int]

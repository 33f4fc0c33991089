"""The loaders of back-tests and sweeps, which only their owner can read."""

from app.domains.trading.backtests.model import BacktestStatus
from app.domains.trading.backtests.statements import BacktestReadSql
from app.kit.lists import Order, by, constant, equals, nulls_last
from app.kit.loaders import Audience, one, page

NEWEST = {"CREATED_AT": by("created_at", "id", descending=True)}
_FILTERS = {"status": constant("status", BacktestStatus), "symbol": equals("symbol")}
_MOST = 10**300
"""No metric is as far from 0."""


def _best_first(column: str) -> Order:
    return by(nulls_last(column, -_MOST, _MOST), "number", descending=True)


backtest_by_id = one(BacktestReadSql.backtests_by_ids, key="id", audience=Audience.VIEWER)
backtests_by_user = page(BacktestReadSql.backtests_by_user, orders=NEWEST, filters=_FILTERS, audience=Audience.VIEWER)
trades_by_backtest = page(BacktestReadSql.trades_by_backtest, orders={"NUMBER": by("number")}, audience=Audience.VIEWER)
sweep_by_id = one(BacktestReadSql.sweeps_by_ids, key="id", audience=Audience.VIEWER)
sweeps_by_user = page(BacktestReadSql.sweeps_by_user, orders=NEWEST, filters=_FILTERS, audience=Audience.VIEWER)
runs_by_sweep = page(
    BacktestReadSql.runs_by_sweep,
    orders={
        "NUMBER": by("number"),
        "TRAIN_RETURN": _best_first("train_return"),
        "TRAIN_SHARPE": _best_first("train_sharpe"),
        "TRAIN_SORTINO": _best_first("train_sortino"),
        "TRAIN_PROFIT_FACTOR": _best_first("train_profit_factor"),
        "TRAIN_DRAWDOWN": by(nulls_last("train_drawdown", -_MOST, _MOST), "number"),
        "TEST_RETURN": _best_first("test_return"),
        "TEST_SHARPE": _best_first("test_sharpe"),
        "TEST_SORTINO": _best_first("test_sortino"),
        "TEST_PROFIT_FACTOR": _best_first("test_profit_factor"),
        "TEST_DRAWDOWN": by(nulls_last("test_drawdown", -_MOST, _MOST), "number"),
    },
    audience=Audience.VIEWER,
)

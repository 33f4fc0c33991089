"""The statements about performance."""

from decimal import Decimal

from app.domains.trading.performance.model import Flow, Measured, PeriodPerformance, RecordedValue, Trading
from app.kit.sql import Command, Query, Rows, Statements


class PerformanceSql(Statements, file="performance.sql"):
    """The statements about performance."""

    performance_by_portfolio: Rows[PeriodPerformance]
    measured_portfolios: Query[Measured]
    values_within: Query[RecordedValue]
    contributed: Query[Decimal]
    flows_since: Query[Flow]
    traded_within: Query[Trading]
    put_metrics: Command
    finish_ended_lives: Command
    delete_old_days: Command

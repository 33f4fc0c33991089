"""A performance as numbers to store."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from app.domains.trading.performance.model import Metric, Performance
from app.domains.trading.quantities.rules import UNIT_DECIMALS

_UNIT: Final = Decimal(f"1E-{UNIT_DECIMALS}")


def metrics_of(found: Performance) -> list[Metric]:
    """Returns every number of a performance, also what is undefined; with what belongs to it."""
    fall = found.max_drawdown
    metadata: dict[str, dict[str, datetime | bool | None]] = {
        "opening_value": {"at": found.measured_from},
        "closing_value": {"at": found.measured_until},
        "time_weighted_return": {"estimated": found.estimated},
        "max_drawdown": {"peak_at": fall.peak_at, "trough_at": fall.trough_at} if fall else {},
    }
    numbers = {
        "opening_value": found.opening_value,
        "closing_value": found.closing_value,
        "net_flow": found.net_flow,
        "gain": found.gain,
        "time_weighted_return": found.time_weighted_return,
        "money_weighted_return": found.money_weighted_return,
        "max_drawdown": fall.depth if fall else None,
        "daily_returns": found.daily_returns,
        "volatility": found.volatility,
        "sharpe": found.sharpe,
        "sortino": found.sortino,
        "exposure": found.exposure,
        "time_in_market": found.time_in_market,
        "trades": found.trades,
        "fills": found.fills,
        "turnover": found.turnover,
        "turnover_ratio": found.turnover_ratio,
        "fees": found.fees,
        "round_trips": found.round_trips,
        "realized_pnl": found.realized_pnl,
        "win_rate": found.win_rate,
        "profit_factor": found.profit_factor,
        "best_pnl": found.best_pnl,
        "worst_pnl": found.worst_pnl,
    }
    return [Metric(type, _exact(value), metadata.get(type, {})) for type, value in numbers.items()]


def _exact(value: Decimal | float | None) -> Decimal | None:
    """Amounts with all their decimals, and others in the shortest form that is read back as the same number."""
    if isinstance(value, Decimal):
        return value.quantize(_UNIT)
    return None if value is None else Decimal(repr(value))

"""The performance of a portfolio in a span of time."""

from decimal import Decimal

from app.domains.trading.performance.model import Performance, Span, Trading
from app.domains.trading.performance.rules.exposure import exposure_of, mean_value
from app.domains.trading.performance.rules.history import History
from app.domains.trading.performance.rules.money_weighted import money_weighted_return
from app.domains.trading.performance.rules.numbers import ratio
from app.domains.trading.performance.rules.returns import (
    daily_returns,
    index_of,
    intervals_of,
    is_estimated,
    time_weighted_return,
)
from app.domains.trading.performance.rules.risk import max_drawdown, ratios_of


def performance(
    history: History, span: Span, trading: Trading = Trading(), *, risk_free_rate: float = 0.0
) -> Performance:
    """Returns the performance of a portfolio in a span, which may not be over yet. `Performance` says what each is.

    `trading` is what it traded in the span. `risk_free_rate` is the return of a year without risk, a fraction over -1,
    or ValueError is raised.
    """
    part = history.within(span)
    values, flows = part.values, part.flows
    opening, closing = (values[0], values[-1]) if values else (None, None)
    net_flow = sum((flow.amount for flow in flows), Decimal(0))
    intervals = intervals_of(values, flows)
    returned = time_weighted_return(intervals)
    known = [] if intervals is None or returned is None else intervals
    daily = daily_returns(known)
    ratios = ratios_of(daily, risk_free_rate)
    exposure = exposure_of(values)
    return Performance(
        span=span,
        measured_from=opening.at if opening else None,
        measured_until=closing.at if closing else None,
        opening_value=opening.value if opening else None,
        closing_value=closing.value if closing else None,
        net_flow=net_flow,
        gain=closing.value - opening.value - net_flow if opening and closing else None,
        time_weighted_return=returned,
        estimated=is_estimated(values, flows),
        money_weighted_return=money_weighted_return(values, flows),
        max_drawdown=max_drawdown(index_of(known)),
        daily_returns=len(daily),
        volatility=ratios.volatility,
        sharpe=ratios.sharpe,
        sortino=ratios.sortino,
        risk_free_rate=risk_free_rate,
        exposure=exposure.share,
        time_in_market=exposure.time_share,
        trades=trading.trades,
        fills=trading.fills,
        turnover=trading.turnover,
        turnover_ratio=ratio(trading.turnover, mean_value(values) or Decimal(0)),
        fees=trading.fees,
        round_trips=trading.round_trips,
        realized_pnl=trading.profits - trading.losses,
        win_rate=trading.wins / trading.round_trips if trading.round_trips else None,
        profit_factor=ratio(trading.profits, trading.losses),
        best_pnl=trading.best,
        worst_pnl=trading.worst,
    )

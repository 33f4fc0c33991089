"""Risk: volatility, value at risk, drawdown, reward for risk, dependence on Bitcoin.

A year is 365 days, because the market never closes. Volatility is of log returns, the rest of simple ones. The mean of
the returns is that of the past, and no prediction.
"""

import math
from datetime import timedelta

import numpy as np

from app.domains.market.analysis.model.risk import Drawdown, MarketDependence, RiskFindings, RiskLevel, TailRisk
from app.domains.market.analysis.rules.dollars import dollars, moment
from app.domains.market.analysis.rules.series import Floats, Series

DAY_S = int(timedelta(days=1).total_seconds())
YEAR_S = 365 * DAY_S

RETURNS_NEEDED = 30
"""The minimum number of returns for a deviation, a ratio or a beta."""
DAILY_DECAY = 0.94
"""The weight of the squared return of a day relative to the next day, as in RiskMetrics; of a candle, its share."""
CONFIDENCES = (0.95, 0.99)
_NORMAL_QUANTILES = {0.95: 1.6448536269514722, 0.99: 2.3263478740408408}

LEVEL_BOUNDS = ((0.20, RiskLevel.LOW), (0.60, RiskLevel.MODERATE), (1.20, RiskLevel.HIGH))
"""The annual EWMA volatility below which a token has a level; from the last on it is EXTREME."""

# Less than this is the rounding of floats, not a deviation.
_STILL = 1e-12


def risk(series: Series, btc: Series | None, *, risk_free_rate: float = 0.0) -> RiskFindings:
    """Returns the risk of holding the token of `series`.

    `btc` has candles of the same interval, or ValueError is raised. `risk_free_rate` is the annual return without
    risk, a fraction over -1.
    """
    if not (math.isfinite(risk_free_rate) and risk_free_rate > -1):
        raise ValueError("the risk-free rate is a fraction over -1")
    logs = series.log_returns()
    logs = logs[np.isfinite(logs)]
    enough = len(logs) >= RETURNS_NEEDED
    year = math.sqrt(YEAR_S / series.step_s) if enough else math.nan
    ewma = ewma_deviation(logs, series.step_s) if enough else math.nan
    free = math.expm1(math.log1p(risk_free_rate) * series.step_s / YEAR_S)
    sharpe, sortino, downside = _rewards(np.expm1(logs), free, year) if enough else (None, None, None)
    return RiskFindings(
        interval=series.interval,
        candles=len(series),
        returns=len(logs),
        returns_needed=RETURNS_NEEDED,
        days=len(logs) * series.step_s / DAY_S,
        level=risk_level_of(ewma * year) if enough else None,
        volatility=_finite(float(np.std(logs, ddof=1)) * year) if enough else None,
        ewma_volatility=_finite(ewma * year),
        downside_deviation=downside,
        tails=tuple(_tail(series, confidence, ewma) for confidence in CONFIDENCES),
        max_drawdown=_deepest(series),
        current_drawdown=float(1 - series.close[-1] / np.max(series.close)) if len(series) else None,
        risk_free_rate=risk_free_rate,
        sharpe=sharpe,
        sortino=sortino,
        bitcoin=dependence(series, btc),
    )


def risk_level_of(annual_volatility: float) -> RiskLevel:
    """Returns the level of a volatility, by LEVEL_BOUNDS."""
    return next((level for bound, level in LEVEL_BOUNDS if annual_volatility < bound), RiskLevel.EXTREME)


def ewma_deviation(log_returns: Floats, step_s: int) -> float:
    """Returns the deviation of the next return: the root mean square of past ones, weighted by DAILY_DECAY a day.

    Raises ValueError without returns.
    """
    if not len(log_returns):
        raise ValueError("no returns")
    decay = DAILY_DECAY ** (step_s / DAY_S)
    weights = decay ** np.arange(len(log_returns) - 1, -1, -1, dtype=np.float64)
    return float(np.sqrt(np.sum(weights * log_returns**2) / np.sum(weights)))


def dependence(series: Series, btc: Series | None) -> MarketDependence:
    """Returns beta and correlation over the returns that both series have between the same times."""
    if btc is None or not len(series) or not len(btc):
        return MarketDependence(None, None, 0)
    if btc.interval != series.interval:
        raise ValueError("Bitcoin's candles are of another interval")
    _, mine, theirs = np.intersect1d(series.times, btc.times, assume_unique=True, return_indices=True)
    own, market = series.log_returns()[mine], btc.log_returns()[theirs]
    common = np.isfinite(own) & np.isfinite(market)
    own, market = np.expm1(own[common]), np.expm1(market[common])
    if len(own) < RETURNS_NEEDED or np.std(market) < _STILL:
        return MarketDependence(None, None, len(own))
    covariance = float(np.mean((own - np.mean(own)) * (market - np.mean(market))))
    beta = _finite(covariance / float(np.var(market)))
    correlation = None
    if np.std(own) >= _STILL:
        # Rounding may make it greater than 1.
        correlation = _finite(max(-1.0, min(1.0, covariance / float(np.std(own) * np.std(market)))))
    return MarketDependence(beta, correlation, len(own))


def _rewards(returns: Floats, free: float, year: float) -> tuple[float | None, float | None, float | None]:
    """Returns the annual Sharpe and Sortino ratios and downside deviation."""
    excess = returns - free
    mean, deviation = float(np.mean(excess)), float(np.std(excess, ddof=1))
    downside = float(np.sqrt(np.mean(np.minimum(excess, 0) ** 2)))
    return (
        _finite(mean / deviation * year) if deviation >= _STILL else None,
        _finite(mean / downside * year) if downside >= _STILL else None,
        _finite(downside * year),
    )


def days_needed(confidence: float) -> int:
    """The number of days for a historical value at risk: so many that one loss is as rare."""
    return round(1 / (1 - confidence))


def _tail(series: Series, confidence: float, ewma: float) -> TailRisk:
    needed = days_needed(confidence)
    steps = max(DAY_S // series.step_s, 1) if len(series) else 1
    daily = series.log_returns(steps)
    losses = -np.expm1(daily[np.isfinite(daily)])
    var = cvar = None
    # They overlap: a day has a return from each of its candles, but they are only as many independent ones as days.
    if len(losses) >= needed * steps:
        var = float(np.quantile(losses, confidence))
        cvar = float(np.mean(losses[losses >= var]))
    parametric = -math.expm1(-_NORMAL_QUANTILES[confidence] * ewma * math.sqrt(steps))
    return TailRisk(confidence, _finite(var), _finite(cvar), _finite(parametric), needed)


def _deepest(series: Series) -> Drawdown | None:
    """Null if no close is below an earlier one."""
    if not len(series):
        return None
    close = series.close
    depths = 1 - close / np.maximum.accumulate(close)
    trough = int(np.argmax(depths))
    if depths[trough] <= 0:
        return None
    peak = int(np.argmax(close[: trough + 1]))
    return Drawdown(
        float(depths[trough]),
        moment(int(series.times[peak])),
        dollars(float(close[peak])),
        moment(int(series.times[trough])),
        dollars(float(close[trough])),
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None

"""Risk against numpy written here. Values agree to 1e-9 of themselves."""

import math
from decimal import Decimal

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.market.analysis.model.risk import Drawdown, MarketDependence, RiskFindings, RiskLevel
from app.domains.market.analysis.rules.dollars import moment
from app.domains.market.analysis.rules.risk import dependence, risk, risk_level_of
from app.domains.market.analysis.rules.series import Series
from app.domains.market.prices.model import Interval
from tests.domains.market.series import BEGIN_S, flat_candles, head, numbers_in, scaled, series, walk

CLOSE_TO = 1e-9


def days(closes: list[float] | np.ndarray, missing: list[int] | None = None) -> Series:
    return flat_candles(closes, Interval.ONE_DAY, missing or [])


def moved(returns: np.ndarray, price: float = 100.0) -> Series:
    """Daily candles with these simple returns."""
    return days(price * np.concatenate([[1.0], np.cumprod(1 + returns)]))


@pytest.fixture
def daily() -> tuple[Series, np.ndarray]:
    """A year of fat-tailed days, and their simple returns."""
    chance = np.random.default_rng(11)
    returns = np.clip(chance.standard_t(4, 365) * 0.02, -0.5, 0.5)
    return moved(returns), returns


def test_volatility_is_of_log_returns_for_a_year_of_365_days(daily: tuple[Series, np.ndarray]) -> None:
    prices, returns = daily
    found, logs = risk(prices, None), np.log1p(returns)
    assert (found.interval, found.candles, found.returns, found.days) == (Interval.ONE_DAY, 366, 365, 365)
    assert found.volatility == pytest.approx(np.std(logs, ddof=1) * math.sqrt(365), rel=CLOSE_TO)
    variance = logs[0] ** 2
    weight = 1.0
    for value in logs[1:]:
        variance, weight = 0.94 * variance + value**2, 0.94 * weight + 1
    assert found.ewma_volatility == pytest.approx(math.sqrt(variance / weight * 365), rel=CLOSE_TO)


def test_volatility_of_hours_is_for_the_same_year_and_forgets_as_fast() -> None:
    hours = walk(24 * 60, deviation=0.01)
    found, logs = risk(hours, None), np.diff(np.log(hours.close))
    assert found.volatility == pytest.approx(np.std(logs, ddof=1) * math.sqrt(365 * 24), rel=CLOSE_TO)
    weights = 0.94 ** (np.arange(len(logs))[::-1] / 24)
    expected = math.sqrt(float(np.average(logs**2, weights=weights)) * 365 * 24)
    assert found.ewma_volatility == pytest.approx(expected, rel=CLOSE_TO)


def test_value_at_risk_is_the_quantile_of_daily_losses_and_cvar_the_mean_beyond(
    daily: tuple[Series, np.ndarray],
) -> None:
    prices, returns = daily
    found = risk(prices, None)
    assert [(tail.confidence, tail.days_needed) for tail in found.tails] == [(0.95, 20), (0.99, 100)]
    for tail, normal in zip(found.tails, (1.6448536269514722, 2.3263478740408408), strict=True):
        losses = np.sort(-returns)
        place = tail.confidence * (len(losses) - 1)
        below, above = losses[math.floor(place)], losses[math.ceil(place)]
        var = below + (above - below) * (place - math.floor(place))
        assert tail.historical_var == pytest.approx(var, rel=CLOSE_TO)
        assert tail.historical_cvar == pytest.approx(np.mean([loss for loss in losses if loss >= var]), rel=CLOSE_TO)
        deviation = (found.ewma_volatility or 0) / math.sqrt(365)
        assert tail.parametric_var == pytest.approx(1 - math.exp(-normal * deviation), rel=CLOSE_TO)


def test_a_loss_as_large_as_the_value_at_risk_is_beyond_it() -> None:
    # Of 21 losses the quantile of 95% is the twentieth itself.
    rare = risk(moved(-np.arange(21) / 100), None).tails[0]
    assert [rare.historical_var, rare.historical_cvar] == pytest.approx([0.19, 0.195])


def test_value_at_risk_of_hours_is_of_24_of_them_and_needs_days_not_returns() -> None:
    hours = walk(24 * 101)
    over_a_day = hours.close[24:] / hours.close[:-24] - 1
    rare, rarest = risk(hours, None).tails
    assert rare.historical_var == pytest.approx(np.quantile(-over_a_day, 0.95), rel=CLOSE_TO)
    assert rarest.historical_var == pytest.approx(np.quantile(-over_a_day, 0.99), rel=CLOSE_TO)
    assert rarest.parametric_var is not None
    fewer, none = (risk(head(hours, count), None).tails for count in (24 * 101 - 1, 24 * 21 - 1))
    assert fewer[0].historical_var is not None
    assert (fewer[1].historical_var, fewer[1].historical_cvar) == (None, None)
    assert (none[0].historical_var, none[0].historical_cvar) == (None, None)
    assert risk(head(hours, 24 * 21), None).tails[0].historical_var is not None


def test_the_deepest_fall_has_its_dates_and_the_last_price_its_distance() -> None:
    prices = days([100.0, 120.0, 90.0, 110.0, 130.0, 104.0, 65.0, 80.0, 117.0])
    found = risk(prices, None)
    at = [moment(BEGIN_S + 86400 * day) for day in range(9)]
    assert found.max_drawdown == Drawdown(0.5, at[4], Decimal(130), at[6], Decimal(65))
    assert found.current_drawdown == pytest.approx(1 - 117 / 130)
    earlier = risk(head(prices, 4), None)
    assert earlier.max_drawdown == Drawdown(0.25, at[1], Decimal(120), at[2], Decimal(90))


def test_what_never_fell_has_no_drawdown() -> None:
    for closes in ([100.0], [100.0, 100.0, 101.0]):
        found = risk(days(closes), None)
        assert (found.max_drawdown, found.current_drawdown) == (None, 0)


@pytest.mark.parametrize("rate", [0.0, 0.05, -0.02])
def test_sharpe_and_sortino_weigh_the_mean_over_the_risk_free_rate(
    rate: float, daily: tuple[Series, np.ndarray]
) -> None:
    prices, returns = daily
    found = risk(prices, None, risk_free_rate=rate)
    excess = returns - ((1 + rate) ** (1 / 365) - 1)
    downside = math.sqrt(sum(min(value, 0) ** 2 for value in excess) / len(excess))
    assert found.risk_free_rate == rate
    assert found.sharpe == pytest.approx(np.mean(excess) / np.std(excess, ddof=1) * math.sqrt(365), rel=1e-6)
    assert found.sortino == pytest.approx(np.mean(excess) / downside * math.sqrt(365), rel=1e-6)
    assert found.downside_deviation == pytest.approx(downside * math.sqrt(365), rel=1e-6)


@pytest.mark.parametrize("rate", [-1.0, math.nan, math.inf])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="risk-free"):
        risk(days([1.0]), None, risk_free_rate=rate)


def test_beta_and_correlation_are_of_common_days() -> None:
    chance = np.random.default_rng(5)
    market = chance.normal(0, 0.02, 200)
    own = 1.5 * market + chance.normal(0, 0.01, 200)
    token, btc = moved(own), moved(market, price=90_000)
    found = dependence(token, btc)
    covariance = np.cov(own, market, ddof=1)
    assert found.observations == 200
    assert found.beta == pytest.approx(covariance[0, 1] / covariance[1, 1], rel=CLOSE_TO)
    assert found.correlation == pytest.approx(np.corrcoef(own, market)[0, 1], rel=CLOSE_TO)
    assert risk(token, btc).bitcoin == found


def test_beta_leaves_out_what_either_series_lacks() -> None:
    chance = np.random.default_rng(6)
    market = chance.normal(0, 0.02, 100)
    closes = 100 * np.concatenate([[1.0], np.cumprod(1 + market)])
    # The candle that Bitcoin lacks was a leap of the token's: with it, beta would not be 1.
    spoiled = closes.copy()
    spoiled[50] *= 3
    found = dependence(days(spoiled), days(closes, missing=[50]))
    assert found.observations == 98
    assert [found.beta, found.correlation] == pytest.approx([1, 1])


def test_bitcoin_moves_with_itself_and_against_its_inverse() -> None:
    btc = walk(200)
    found = dependence(btc, btc)
    assert found.observations == 199
    assert [found.beta, found.correlation] == pytest.approx([1, 1])
    inverse = flat_candles(1e4 / btc.close)
    assert dependence(inverse, btc).correlation == pytest.approx(-1, abs=0.01)


def test_too_little_in_common_gives_no_value() -> None:
    prices = walk(60)
    assert dependence(prices, None) == MarketDependence(None, None, 0)
    assert dependence(prices, head(prices, 0)) == MarketDependence(None, None, 0)
    assert dependence(head(prices, 30), prices) == MarketDependence(None, None, 29)
    assert dependence(head(prices, 31), prices).beta == pytest.approx(1)
    still = flat_candles(np.ones(60))
    assert dependence(prices, still) == MarketDependence(None, None, 59)
    assert dependence(still, prices) == MarketDependence(0.0, None, 59)


def test_candles_of_other_lengths_are_not_compared() -> None:
    with pytest.raises(ValueError, match="interval"):
        dependence(walk(60), days(np.ones(60)))


def test_thirty_returns_are_needed() -> None:
    prices = walk(31)
    assert risk(prices, None).volatility is not None
    fewer = risk(head(prices, 30), None)
    assert (fewer.returns, fewer.returns_needed) == (29, 30)
    assert [fewer.level, fewer.volatility, fewer.ewma_volatility, fewer.downside_deviation] == [None] * 4
    assert [fewer.sharpe, fewer.sortino, fewer.tails[0].parametric_var] == [None] * 3
    assert fewer.max_drawdown is not None


def test_no_candles_have_no_risk() -> None:
    found = risk(days([]), None)
    assert (found.interval, found.candles, found.returns, found.days) == (None, 0, 0, 0)
    assert (found.level, found.max_drawdown, found.current_drawdown) == (None, None, None)


def test_a_price_that_stands_still_has_no_ratio() -> None:
    found = risk(days(np.full(150, 7.0)), None)
    assert (found.volatility, found.ewma_volatility, found.level) == (0, 0, RiskLevel.LOW)
    assert (found.sharpe, found.sortino) == (None, None)
    assert [tail.historical_var for tail in found.tails] == [0, 0]


def test_a_price_that_only_rises_loses_nothing_even_on_bad_days() -> None:
    found = risk(days(100 * 1.01 ** np.arange(150)), None)
    assert found.tails[0].historical_var == pytest.approx(-0.01)
    assert (found.sharpe, found.sortino, found.max_drawdown) == (None, None, None)


@pytest.mark.parametrize(
    ("volatility", "level"),
    [
        (0.0, RiskLevel.LOW),
        (0.1999, RiskLevel.LOW),
        (0.2, RiskLevel.MODERATE),
        (0.5999, RiskLevel.MODERATE),
        (0.6, RiskLevel.HIGH),
        (1.1999, RiskLevel.HIGH),
        (1.2, RiskLevel.EXTREME),
        (50.0, RiskLevel.EXTREME),
    ],
)
def test_the_level_has_stated_bounds(volatility: float, level: RiskLevel) -> None:
    assert risk_level_of(volatility) is level


@pytest.mark.parametrize("factor", [1e-11, 1e9])
def test_risk_does_not_depend_on_the_scale_of_the_price(factor: float) -> None:
    prices = walk(24 * 30)
    small = risk(scaled(prices, factor), scaled(prices, factor))
    expected = risk(prices, prices)
    assert small.volatility == pytest.approx(expected.volatility)
    assert small.sharpe == pytest.approx(expected.sharpe)
    assert small.tails[0].historical_cvar == pytest.approx(expected.tails[0].historical_cvar)
    assert small.bitcoin.beta == pytest.approx(1)


@given(series(), series(), st.floats(-0.5, 1))
def test_findings_are_finite_and_survive_json(prices: Series, other: Series, rate: float) -> None:
    btc = other if other.interval == prices.interval else prices
    found = risk(prices, btc, risk_free_rate=rate)
    assert all(math.isfinite(number) for number in numbers_in(found))
    assert msgspec.convert(msgspec.to_builtins(found), RiskFindings) == found
    assert msgspec.json.decode(msgspec.json.encode(found), type=RiskFindings) == found
    for tail in found.tails:
        if tail.historical_var is not None and tail.historical_cvar is not None:
            # A mean of equal losses may differ from them in the last digit.
            assert tail.historical_var <= tail.historical_cvar + 1e-9 * max(1, abs(tail.historical_var))
            assert tail.historical_cvar <= 1
    assert found.max_drawdown is None or 0 < found.max_drawdown.depth <= 1
    assert found.bitcoin.correlation is None or -1 <= found.bitcoin.correlation <= 1

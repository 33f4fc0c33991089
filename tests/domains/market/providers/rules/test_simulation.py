"""The invented market: reproducible, correlated, pegged where it should be, never a jump after a restart."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domains.market.prices.model import Quote
from app.domains.market.providers.rules.profiles import AUD_PER_USD, Profile, base_quotes, profiles_of
from app.domains.market.providers.rules.simulation import Path, Simulation, paths
from app.domains.market.tokens.model import Listing

AT = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
SYMBOLS = ["BTC", "ETH", "USDT", "BNB", "SOL", "USDC", "DAI", "FDUSD", "WBTC", "RETH", "PAXG", "XAUT", "SHIB", "IOST"]
LISTINGS = [Listing(symbol.lower(), symbol, symbol, 1 + 18 * place) for place, symbol in enumerate(SYMBOLS)]
PROFILES = profiles_of(LISTINGS)


def by_symbol(quotes: list[Quote]) -> dict[str, Quote]:
    return {quote.symbol: quote for quote in quotes}


def simulation(seed: int = 1, last: list[Quote] | None = None, profiles: list[Profile] = PROFILES) -> Simulation:
    return Simulation(profiles, seed=seed, last=by_symbol(last or base_quotes(LISTINGS, AT)))


def walk(market: Simulation, seconds: int, *, begin: int = 0, step_s: int = 1) -> list[Quote]:
    quotes: list[Quote] = []
    for second in range(begin + step_s, begin + seconds + 1, step_s):
        quotes = market.step(AT + timedelta(seconds=second))
    return quotes


def history(seed: int = 1, count: int = 7 * 1440, step_s: int = 60) -> dict[str, Path]:
    return {path.symbol: path for path in paths(PROFILES, seed=seed, start=AT, count=count, step_s=step_s)}


@pytest.fixture(scope="module")
def week() -> dict[str, Path]:
    return history()


def test_base_prices_are_the_same_each_time_and_a_stable_coin_is_worth_a_dollar() -> None:
    quotes = by_symbol(base_quotes(LISTINGS, AT))
    assert quotes == by_symbol(base_quotes(list(reversed(LISTINGS)), AT))
    assert {quotes[symbol].price_usd for symbol in ("USDT", "USDC", "DAI", "FDUSD")} == {Decimal(1)}
    assert quotes["WBTC"].price_usd == quotes["BTC"].price_usd
    assert quotes["BTC"].market_cap_usd == Decimal("1980000000000.00")
    assert quotes["SHIB"].price_usd < Decimal("0.001")


@given(rank=st.integers(1, 5000), symbol=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=20))
def test_any_listing_gets_a_quote_that_can_be_stored(rank: int, symbol: str) -> None:
    [quote] = base_quotes([Listing(symbol.lower(), symbol, symbol, rank)], AT)
    assert Decimal(0) < quote.price_usd < Decimal(10) ** 9
    assert quote.price_usd == quote.price_usd.quantize(Decimal("1e-12"))
    assert quote.low_24h is not None
    assert quote.high_24h is not None
    assert quote.low_24h <= quote.price_usd <= quote.high_24h
    assert abs(float(quote.price_aud / quote.price_usd) - AUD_PER_USD) < 1e-3


@settings(max_examples=20)
@given(seed=st.integers(0, 2**63), gaps=st.lists(st.integers(1, 7200), min_size=1, max_size=20))
def test_the_same_seed_start_and_moments_give_the_same_prices(seed: int, gaps: list[int]) -> None:
    one, other = simulation(seed), simulation(seed)
    moments = [AT + timedelta(seconds=sum(gaps[: place + 1])) for place in range(len(gaps))]
    quotes = [one.step(at) for at in moments]
    assert quotes == [other.step(at) for at in moments]
    for quote in quotes[-1]:
        assert quote.low_24h is not None
        assert quote.high_24h is not None
        assert Decimal(0) < quote.low_24h <= quote.price_usd <= quote.high_24h


def test_another_seed_gives_another_market() -> None:
    one, other = walk(simulation(1), 5), walk(simulation(2), 5)
    assert all(first.price_usd != second.price_usd for first, second in zip(one, other, strict=True))


def test_a_step_back_or_none_changes_nothing() -> None:
    market = simulation()
    quotes = walk(market, 3)
    assert [q.price_usd for q in market.step(AT)] == [q.price_usd for q in quotes]
    assert market.step(AT + timedelta(seconds=3)) == quotes


def test_a_clock_that_was_ahead_does_not_stop_the_market() -> None:
    market = simulation()
    market.step(AT + timedelta(days=400))
    still = market.step(AT)
    moved = market.step(AT + timedelta(seconds=1))
    assert sum(one.price_usd != other.price_usd for one, other in zip(still, moved, strict=True)) > len(still) / 2


def test_a_restart_goes_on_where_it_stopped() -> None:
    going = simulation()
    stored = walk(going, 60)
    restarted = simulation(last=stored)
    first, second = walk(going, 60, begin=60), walk(restarted, 60, begin=60)
    for one, other in zip(first, second, strict=True):
        # What is stored has 12 decimals, the running one has those of a float.
        assert float(one.price_usd) == pytest.approx(float(other.price_usd), rel=1e-6)
        assert float(one.volume_24h_usd or 0) == pytest.approx(float(other.volume_24h_usd or 0), rel=1e-6)


def test_a_restart_after_three_days_is_no_jump() -> None:
    before = base_quotes(LISTINGS, AT)
    after = simulation(last=before).step(AT + timedelta(days=3))
    for one, other in zip(before, after, strict=True):
        assert float(other.price_usd) == pytest.approx(float(one.price_usd), rel=0.01)
        assert other.at == AT + timedelta(days=3)


def test_a_day_forgets_what_is_older() -> None:
    market = simulation()
    walk(market, 3600, step_s=60)
    quotes = market.step(AT + timedelta(days=2))
    assert {quote.change_24h for quote in quotes} == {Decimal(0)}
    assert all(quote.high_24h == quote.low_24h == quote.price_usd for quote in quotes)


def test_the_day_keeps_the_extremes_it_was_given() -> None:
    given = by_symbol(base_quotes(LISTINGS, AT))["BTC"]
    quote = by_symbol(walk(simulation(), 10))["BTC"]
    assert quote.high_24h == pytest.approx(given.high_24h)
    assert quote.low_24h == pytest.approx(given.low_24h)
    assert quote.change_24h is not None
    assert quote.change_24h == pytest.approx(quote.price_usd - (given.price_usd - (given.change_24h or 0)))


def test_stable_coins_return_to_a_dollar_and_wrapped_ones_to_their_anchor() -> None:
    quotes = by_symbol(base_quotes(LISTINGS, AT))
    last = [
        Quote(q.symbol, q.at, q.price_usd * Decimal("1.05"), q.price_aud) if q.symbol in {"DAI", "WBTC"} else q
        for q in quotes.values()
    ]
    after = by_symbol(walk(simulation(last=last), 8 * 3600, step_s=60))
    assert float(after["DAI"].price_usd) == pytest.approx(1, abs=0.004)
    assert float(after["USDT"].price_usd) == pytest.approx(1, abs=0.004)
    assert float(after["WBTC"].price_usd / after["BTC"].price_usd) == pytest.approx(1, abs=0.004)
    assert float(after["RETH"].price_usd / after["ETH"].price_usd) == pytest.approx(1.12, abs=0.005)
    assert after["BTC"].price_usd != quotes["BTC"].price_usd


def test_an_anchor_that_is_not_listed_is_not_followed() -> None:
    [profile] = profiles_of([Listing("wrapped", "WBTC", "Wrapped", 17)])
    assert profile.anchor is None
    assert profile.beta > 0


def test_history_is_reproducible_and_ends_at_the_given_price(week: dict[str, Path]) -> None:
    again = history()
    assert list(week) == SYMBOLS
    for profile in PROFILES:
        path = week[profile.symbol]
        assert np.array_equal(path.close, again[profile.symbol].close)
        assert path.close[-1] == pytest.approx(profile.base_price)
        assert path.opened_at_s[0] == int(AT.timestamp())
        assert len(path.close) == 7 * 1440


def test_a_history_does_not_depend_on_who_else_is_in_it(week: dict[str, Path]) -> None:
    [alone] = paths([p for p in PROFILES if p.symbol == "SHIB"], seed=1, start=AT, count=7 * 1440)
    assert np.array_equal(alone.close, week["SHIB"].close)
    [elsewhere] = paths(
        [p for p in PROFILES if p.symbol == "SHIB"], seed=1, start=AT, count=7 * 1440, ends={"SHIB": 2.0}
    )
    assert elsewhere.close[-1] == pytest.approx(2)
    assert np.allclose(elsewhere.close / elsewhere.close[-1], alone.close / alone.close[-1])


def test_candles_hold_together(week: dict[str, Path]) -> None:
    for path in week.values():
        assert (path.high >= np.maximum(path.open, path.close)).all()
        assert (path.low <= np.minimum(path.open, path.close)).all()
        assert (path.low > 0).all()
        assert (path.volume > 0).all()
        assert np.array_equal(path.open[1:], path.close[:-1])


def test_a_longer_candle_is_made_of_the_shorter_ones(week: dict[str, Path]) -> None:
    path, hours = week["BTC"], week["BTC"].rolled_up(60)
    assert len(hours.close) == 7 * 24
    assert hours.opened_at_s[1] - hours.opened_at_s[0] == 3600
    assert hours.open[3] == path.open[180]
    assert hours.close[3] == path.close[239]
    assert hours.high[3] == path.high[180:240].max()
    assert hours.low[3] == path.low[180:240].min()
    assert hours.volume[3] == pytest.approx(path.volume[180:240].sum())


def test_tokens_move_together_as_their_betas_say(week: dict[str, Path]) -> None:
    moves = {symbol: np.diff(np.log(path.rolled_up(60).close)) for symbol, path in week.items()}

    def correlation(one: str, other: str) -> float:
        return float(np.corrcoef(moves[one], moves[other])[0, 1])

    assert 0.4 < correlation("BTC", "ETH") < 0.95
    assert correlation("BTC", "WBTC") > 0.99
    assert correlation("ETH", "RETH") > 0.99
    assert correlation("XAUT", "PAXG") > 0.9
    assert abs(correlation("BTC", "USDT")) < 0.3
    year = np.sqrt(365 * 24)
    assert 0.3 < moves["BTC"].std() * year < 0.9
    assert moves["IOST"].std() > 1.2 * moves["BTC"].std()
    assert moves["USDT"].std() * year < 0.05
    assert np.abs(week["USDT"].close - 1).max() < 0.01


def test_jumps_happen_but_rarely(week: dict[str, Path]) -> None:
    moves = np.diff(np.log(week["IOST"].close))
    ordinary = np.median(np.abs(moves)) / 0.6745
    jumps = np.abs(moves) > 8 * ordinary
    assert 1 <= jumps.sum() <= 20

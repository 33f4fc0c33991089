"""What a quote and candles say together, and how moods are described."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.market.analysis.model.sentiment import Mood, SentimentSource
from app.domains.market.analysis.rules.market_data import change_percentage, completeness, market_data, range_position
from app.domains.market.analysis.rules.sentiment import blended, mood_of, score_of, shared
from app.domains.market.prices.model import Interval
from app.domains.market.tokens.model import Token
from tests.databases import NOON
from tests.domains.market.analysis.market_data import candles

TOKEN = Token(
    id=UUID(int=1),
    coingecko_id="bitcoin",
    symbol="BTC",
    name="Bitcoin",
    market_cap_rank=1,
    image_url=None,
    ethereum_address=None,
    solana_address=None,
    is_active=True,
    created_at=NOON,
    updated_at=NOON,
    exchange="simulated",
    price_usd=Decimal(110),
    price_aud=Decimal(165),
    volume_24h_usd=None,
    volume_24h_aud=None,
    change_24h=None,
    change_percentage_24h=None,
    market_cap_usd=None,
    market_cap_aud=None,
    high_24h=None,
    low_24h=None,
    last_updated=NOON,
)
HOURLY = candles("BTC", Interval.ONE_HOUR, 200, NOON)


def test_a_change_is_computed_from_the_candle_that_closed_then() -> None:
    then = NOON - timedelta(hours=5)
    [candle] = [each for each in HOURLY if each.opened_at + timedelta(hours=1) == then]
    expected = float(100 * (Decimal(110) - candle.close) / candle.close)
    assert change_percentage(Decimal(110), HOURLY, then) == expected
    assert change_percentage(Decimal(110), HOURLY, then + timedelta(minutes=59)) == expected
    assert change_percentage(Decimal(110), HOURLY, then + timedelta(minutes=60)) != expected


def test_no_change_is_computed_over_a_gap_or_before_the_first_candle() -> None:
    gap = [each for each in HOURLY if not timedelta(hours=3) < NOON - each.opened_at < timedelta(hours=8)]
    assert change_percentage(Decimal(110), gap, NOON - timedelta(hours=4)) is None
    assert change_percentage(Decimal(110), HOURLY, NOON - timedelta(days=30)) is None
    assert change_percentage(Decimal(110), [], NOON) is None


def test_what_is_quoted_counts_before_what_candles_say() -> None:
    said = msgspec.structs.replace(TOKEN, change_percentage_24h=Decimal("3.25"))
    assert market_data(said, [], HOURLY, NOON).change_percentage_24h == 3.25
    reckoned = market_data(TOKEN, [], HOURLY, NOON).change_percentage_24h
    assert reckoned == change_percentage(Decimal(110), HOURLY, NOON - timedelta(hours=24))


def test_without_candles_nothing_is_reckoned() -> None:
    found = market_data(TOKEN, [], [], NOON)
    assert [each.value for each in found.indicators] == [None] * 5
    assert (found.change_percentage_1h, found.change_percentage_24h, found.change_percentage_7d) == (None, None, None)
    assert (found.range_position, found.turnover) == (None, None)


def test_completeness_is_the_share_of_what_may_be_quoted() -> None:
    assert completeness(TOKEN) == 0
    assert completeness(msgspec.structs.replace(TOKEN, high_24h=Decimal(1), low_24h=Decimal(1))) == 0.25


@pytest.mark.parametrize(
    ("price", "low", "high", "expected"),
    [(5, 0, 10, 0.5), (12, 0, 10, 1), (-1, 0, 10, 0), (5, 5, 5, None), (5, None, 10, None), (5, 9, 1, None)],
)
def test_where_a_price_stands(price: int, low: int | None, high: int | None, expected: float | None) -> None:
    bounds = [None if each is None else Decimal(each) for each in (low, high)]
    assert range_position(Decimal(price), *bounds) == expected


@pytest.mark.parametrize(
    ("score", "mood"),
    [
        (0, Mood.VERY_NEGATIVE),
        (19.99, Mood.VERY_NEGATIVE),
        (20, Mood.NEGATIVE),
        (50, Mood.NEUTRAL),
        (60, Mood.POSITIVE),
        (80, Mood.VERY_POSITIVE),
        (100, Mood.VERY_POSITIVE),
    ],
)
def test_a_score_in_a_word(score: float, mood: Mood) -> None:
    assert mood_of(score) is mood


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.01, 10)), min_size=1, max_size=5))
def test_a_blend_lies_between_what_it_is_made_of(pairs: list[tuple[float, float]]) -> None:
    sources = shared([SentimentSource("x", score, weight, None) for score, weight in pairs])
    assert sum(each.weight for each in sources) == pytest.approx(1)
    scores = [score for score, _ in pairs]
    assert min(scores) - 1e-9 <= blended(sources) <= max(scores) + 1e-9


@given(st.floats(-5, 5))
def test_a_score_is_between_0_and_100(mean: float) -> None:
    assert 0 <= score_of(mean) <= 100

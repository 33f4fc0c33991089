from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.domains.market.prices.model import Bar, Bars, Interval
from app.domains.market.prices.rules.candles import CandleBuilder, Traded, traded_in
from app.domains.market.prices.rules.windows import begin_of
from tests.databases import NOON

MINUTE = Interval.ONE_MINUTE
SECOND = timedelta(seconds=1)

TICKS = st.lists(
    st.tuples(st.integers(0, 4000), st.integers(1, 1000), st.integers(0, 50)), min_size=1, max_size=60
).map(lambda ticks: sorted(ticks, key=lambda tick: tick[0]))


def tick(builder: CandleBuilder, at: datetime, price: int, volume: int = 0) -> list[tuple[str, Bar]]:
    ended = builder.advance(at)
    builder.add([Traded("BTC", Decimal(price), Decimal(volume))])
    return ended


def bar(opened_at: datetime, *values: int) -> Bar:
    """Open, high, low, close, volume."""
    return Bar(opened_at, *map(Decimal, values))


def by_hand(ticks: list[tuple[int, int, int]], interval: Interval) -> list[Bar]:
    """What the candles must be, calculated from all ticks at once."""
    windows: dict[datetime, list[tuple[int, int]]] = {}
    for second, price, volume in ticks:
        windows.setdefault(begin_of(NOON + second * SECOND, interval.length), []).append((price, volume))
    return [
        bar(begin, t[0][0], max(p for p, _ in t), min(p for p, _ in t), t[-1][0], sum(v for _, v in t))
        for begin, t in windows.items()
    ]


@given(TICKS)
def test_ticks_make_the_candles_that_they_make_by_hand(ticks: list[tuple[int, int, int]]) -> None:
    builder, minutes = CandleBuilder(), []
    for second, price, volume in ticks:
        minutes += [ended for _, ended in tick(builder, NOON + second * SECOND, price, volume)]
    assert [*minutes, builder.bars(MINUTE)["BTC"].open] == by_hand(ticks, MINUTE)
    for interval in Interval:
        expected = by_hand(ticks, interval)
        assert builder.bars(interval) == {"BTC": Bars(expected[-1], expected[-2] if len(expected) > 1 else None)}


def test_the_first_moment_of_a_minute_is_in_it_and_not_in_the_one_before() -> None:
    builder = CandleBuilder()
    last = NOON + timedelta(minutes=1) - timedelta(microseconds=1)
    assert tick(builder, NOON, 10) == []
    assert tick(builder, last, 12) == []
    assert tick(builder, NOON + timedelta(minutes=1), 20) == [("BTC", bar(NOON, 10, 12, 10, 12, 0))]
    assert builder.bars(MINUTE)["BTC"].open == bar(NOON + timedelta(minutes=1), 20, 20, 20, 20, 0)


def test_a_minute_without_a_tick_has_no_candle() -> None:
    builder = CandleBuilder()
    tick(builder, NOON, 10)
    assert builder.advance(NOON + timedelta(minutes=5)) == [("BTC", bar(NOON, 10, 10, 10, 10, 0))]
    assert builder.advance(NOON + timedelta(minutes=6)) == []
    assert builder.bars(MINUTE) == {"BTC": Bars(None, bar(NOON, 10, 10, 10, 10, 0))}


def test_time_that_goes_back_closes_nothing_and_changes_no_candle_that_is_closed() -> None:
    builder = CandleBuilder()
    tick(builder, NOON, 10)
    tick(builder, NOON + timedelta(minutes=1), 20)
    assert tick(builder, NOON + 30 * SECOND, 30) == []
    assert builder.bars(MINUTE)["BTC"] == Bars(
        bar(NOON + timedelta(minutes=1), 20, 30, 20, 30, 0), bar(NOON, 10, 10, 10, 10, 0)
    )


def test_time_that_goes_back_by_more_than_a_candle_begins_anew() -> None:
    builder = CandleBuilder()
    tick(builder, NOON + timedelta(minutes=2), 10)
    assert tick(builder, NOON, 30) == []
    assert builder.bars(MINUTE)["BTC"] == Bars(bar(NOON, 30, 30, 30, 30, 0), None)
    # An hour has not gone back by one.
    assert builder.bars(Interval.ONE_HOUR)["BTC"] == Bars(bar(NOON, 10, 30, 10, 30, 0), None)


def test_what_is_restored_goes_on() -> None:
    builder = CandleBuilder()
    builder.restore(MINUTE, "BTC", Bars(bar(NOON, 10, 30, 5, 20, 7), bar(NOON - timedelta(minutes=1), 1, 1, 1, 1, 1)))
    assert tick(builder, NOON + 30 * SECOND, 40, 3) == []
    assert builder.bars(MINUTE)["BTC"].open == bar(NOON, 10, 40, 5, 40, 10)


def test_what_is_restored_too_late_is_closed_at_once() -> None:
    builder = CandleBuilder()
    builder.restore(MINUTE, "BTC", Bars(bar(NOON, 10, 30, 5, 20, 7), None))
    assert builder.advance(NOON + timedelta(hours=1)) == [("BTC", bar(NOON, 10, 30, 5, 20, 7))]
    assert not builder.is_open(MINUTE, "BTC")


def test_a_second_has_its_share_of_a_day() -> None:
    assert traded_in(Decimal(86400), 1.5) == Decimal("1.50")
    assert traded_in(None, 1.0) == 0
    assert sum((traded_in(Decimal(864000000), 1.0) for _ in range(60)), Decimal(0)) == 600000

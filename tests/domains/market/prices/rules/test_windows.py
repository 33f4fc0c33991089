from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.domains.market.prices.model import Interval
from app.domains.market.prices.rules.windows import EPOCH, begin_of, touched

MOMENTS = st.integers(-(10**16), 10**16).map(lambda us: EPOCH + timedelta(microseconds=us))
LENGTHS = st.sampled_from([each.length for each in Interval])


@given(MOMENTS, LENGTHS)
def test_a_window_holds_its_moment(at: datetime, length: timedelta) -> None:
    begin = begin_of(at, length)
    assert begin <= at < begin + length
    assert (begin - EPOCH) % length == timedelta(0)


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=3)), LENGTHS)
def test_touched_windows_are_whole_and_no_more(since: datetime, span: timedelta, length: timedelta) -> None:
    first, end = touched(since, since + span, length)
    assert first == begin_of(since, length)
    assert (end - EPOCH) % length == timedelta(0)
    assert end - length < since + span <= end


def test_the_end_is_not_in_the_window_that_begins_there() -> None:
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    hour = timedelta(hours=1)
    assert touched(noon, noon + hour, hour) == (noon, noon + hour)
    assert touched(noon, noon + hour + timedelta(microseconds=1), hour) == (noon, noon + 2 * hour)

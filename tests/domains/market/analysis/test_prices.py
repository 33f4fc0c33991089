from datetime import timedelta

import pytest

from app.domains.market.analysis.rules.quality import quality
from app.domains.market.analysis.services.analyst import AnalysisDeps
from app.domains.market.analysis.services.prices import candle_source
from app.domains.market.prices.model import Interval
from app.kit.clock import FixedClock
from app.kit.db import Database
from tests.domains.market.analysis.market_data import candles


@pytest.mark.parametrize("interval", Interval)
def test_candles_are_as_fresh_as_can_be_until_the_next_should_have_closed(
    interval: Interval, database: Database, clock: FixedClock
) -> None:
    deps, found = AnalysisDeps(database, clock), candles("BTC", interval, 100, clock.now())
    clock.advance(interval.length)
    assert quality([candle_source(deps, found, 100)]) == 100
    clock.advance(24 * min(10 * interval.length, timedelta(hours=1)))
    assert quality([candle_source(deps, found, 100)]) == 0


def test_candles_that_are_few_or_have_holes_are_less_complete(database: Database, clock: FixedClock) -> None:
    deps, found = AnalysisDeps(database, clock), candles("BTC", Interval.ONE_HOUR, 100, clock.now())
    holed = found[:30] + found[50:]
    judged = [quality([candle_source(deps, each, 100)]) for each in (found, found[50:], holed, [])]
    assert judged == [100, 50, 64, 0]

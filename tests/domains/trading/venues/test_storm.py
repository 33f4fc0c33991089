"""Orders at an exchange that fails at a third of all requests, and workers that are killed."""

import pytest

from tests.domains.trading.stage import Stage
from tests.domains.trading.venues.stage import venue_stage
from tests.domains.trading.venues.storm import CHANCE, QUIET, Storm
from tests.domains.trading.venues.stub import StubExchange


@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_fails_the_books_are_those_of_the_exchange_and_nothing_is_sent_twice(
    stage: Stage, seed: int
) -> None:
    async with StubExchange(seed=seed, faults=QUIET).serving() as stub:
        live = await venue_stage(stage, stub)
        await live.open()
        stub.chance, stub.fills, stub.skew_ms = CHANCE, 0.3, 4000
        storm = Storm(live, seed, 60)
        await storm.run()
        await storm.check()
        assert storm.killed > 0
        assert len(stub.trades) > 10
        await live.venues.close()

"""A market that is open, and a portfolio for bots."""

from typing import Any

import msgspec
import pytest
import pytest_asyncio

from app.domains.trading.bots.rules.deciding import decided as decided_by_rules
from app.domains.trading.bots.services import runner as runner_module
from app.domains.trading.strategies.model import Decision, SignalType
from tests.domains.trading.bots.robots import Robots
from tests.domains.trading.matching.market import begin
from tests.domains.trading.stage import Stage


@pytest_asyncio.fixture
async def robots(stage: Stage) -> Robots:
    """BTC costs 100, Alice has 10,000 dollars, and one candle has ended."""
    market = await begin(stage)
    made = Robots(stage, market, await stage.create())
    await made.candle()
    return made


@pytest.fixture
def decides(monkeypatch: pytest.MonkeyPatch) -> list[SignalType]:
    """What every strategy decides next, in turn; holding once nothing is left."""
    planned = list[SignalType]()
    original = decided_by_rules

    def decided(*args: Any) -> Any:
        found = original(*args)
        if found is None:
            return None
        kind = planned.pop(0) if planned else SignalType.HOLD
        return msgspec.structs.replace(found, decision=Decision(type=kind, confidence=50, reasoning="As planned."))

    monkeypatch.setattr(runner_module, "decided", decided)
    return planned

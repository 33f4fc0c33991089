"""Random walks of bots: whatever happens and whatever is killed, every law holds after every step."""

from random import Random
from typing import Any

import msgspec
import pytest

from app.domains.trading.bots.rules.deciding import decided as decided_by_rules
from app.domains.trading.bots.services import runner as runner_module
from app.domains.trading.strategies.model import Decision, SignalType
from tests.domains.trading.bots.robots import Robots
from tests.domains.trading.bots.walks.crashes import Crashes
from tests.domains.trading.bots.walks.walk import Walk
from tests.waiting import timed

STEPS = 300


@pytest.mark.parametrize("seed", [1,2,3,4,5,6])
async def test_no_walk_breaks_a_law(robots: Robots, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    draw_decisions(monkeypatch, seed)
    walk = Walk(robots, Crashes(monkeypatch), seed)
    await walk.begin()
    with timed(f"{STEPS} steps of bots over Postgres"):
        for _ in range(STEPS):
            await walk.step()
    await walk.end()
    print(sorted(walk.met.items()), walk.crashes.intrusions, await walk._stage.owner.fetch("select status, count(*) from trading_bots group by 1"), await walk._stage.owner.fetch("select signal_type, execution_status, status_reason, count(*) from trading_signals group by 1,2,3 order by 1,2,3"), await walk._stage.owner.fetch("select bracket_role, type, status, count(*) from orders where bot_id is not null group by 1,2,3 order by 1,2,3"))


def draw_decisions(patch: pytest.MonkeyPatch, seed: int) -> None:
    """What a Momentum decides is drawn; every worker draws the same for a candle."""

    def decided(due: Any, *given: Any) -> Any:
        found = decided_by_rules(due, *given)
        if found is None or due.config["type"] != "momentum":
            return found
        kind = Random(f"{seed} {due.config['period']} {due.symbol} {given[3]}").choice(list(SignalType))
        return msgspec.structs.replace(found, decision=Decision(type=kind, confidence=50, reasoning="Drawn."))

    patch.setattr(runner_module, "decided", decided)
